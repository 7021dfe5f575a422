use super::*;

#[test]
fn paths_are_shown_from_the_current_directory() {
    let cases = [
        ("/a/b/c.sql", "/a/b", "c.sql"),
        ("/a/c.sql", "/a/b", "../c.sql"),
        ("/x/c.sql", "/a/b", "/x/c.sql"),
        ("/a/b", "/a/b", "."),
        ("/a/c.sql", "/", "a/c.sql"),
    ];
    for (path, cwd, expected) in cases {
        assert_eq!(
            shown(Path::new(path), Path::new(cwd)),
            expected,
            "{path} from {cwd}"
        );
    }
}
