use super::*;
use crate::snapshot::{Activity, Kind, RelationName};

fn name(name: &str) -> QualifiedName {
    QualifiedName::new("public", name)
}

fn relation(name: &str, rows: Option<u64>, bytes: Option<u64>) -> Relation {
    Relation {
        schema: "public".to_owned(),
        name: name.to_owned(),
        rows,
        bytes,
        ..Relation::default()
    }
}

#[test]
fn a_partitioned_table_is_as_large_as_its_leaves() {
    let below = |parent: &str, leaf: Relation| Relation {
        partition_of: Some(RelationName {
            schema: "public".to_owned(),
            name: parent.to_owned(),
        }),
        ..leaf
    };
    let parent = Relation {
        kind: Kind::PartitionedTable,
        ..relation("events", None, None)
    };
    let mut busy = below("events_b", relation("events_b1", Some(5), Some(700)));
    busy.activity = Some(Activity {
        inserted: 500,
        ..Activity::default()
    });
    let snapshot = Snapshot {
        taken_at: Some("2026-11-20T00:01:40Z".to_owned()),
        stats_reset: Some("2026-11-20T00:00:00Z".to_owned()),
        relations: vec![
            parent,
            below("events", relation("events_a", Some(3), Some(450))),
            below("events", relation("events_b", None, None)),
            busy,
            // A circle ends.
            below("loop", relation("loop", Some(1), None)),
        ],
        ..Snapshot::default()
    };
    let schema = Schema::default();
    let size = size_of(&snapshot, &schema, &name("events")).expect("known");
    assert_eq!((size.rows, size.bytes), (8, 1150));
    assert_eq!(size.writes_per_second, Some(5.0));
    let loops = size_of(&snapshot, &schema, &name("loop")).expect("known");
    assert_eq!((loops.rows, loops.bytes), (1, 150));
    assert_eq!(size_of(&snapshot, &schema, &name("unknown")), None);
}

#[test]
fn rows_and_bytes_stand_in_for_each_other() {
    let total = Relation {
        total_bytes: Some(1_000),
        index_bytes: Some(400),
        ..relation("t", Some(1), Some(500))
    };
    for (relation, expected) in [
        (relation("t", Some(2), Some(10)), Some((2, 10))),
        (relation("t", Some(2), None), Some((2, 300))),
        (relation("t", None, Some(300)), Some((2, 300))),
        (relation("t", None, None), None),
        // TOAST counts, indexes do not.
        (total, Some((1, 600))),
    ] {
        assert_eq!(rows_and_bytes(&relation), expected);
    }
}

#[test]
fn sizes_have_classes_and_work_takes_its_time() {
    let sizing = Sizing::default();
    let scan = Task::Work(Work::SCAN);
    let index = Task::Work(Work::INDEX_BUILD);
    let rewrite = Task::Work(Work::REWRITE);
    for (rows, bytes, task, expected) in [
        (
            120,
            20_000,
            rewrite,
            "tiny 120 rows, 20 kB: less than a second",
        ),
        (
            50_000,
            10_000_000,
            scan,
            "small 50 thousand rows, 10 MB: less than a second",
        ),
        (
            1_000_000,
            200_000_000,
            index,
            "medium 1 million rows, 200 MB: about 1 s to 7 s",
        ),
        (
            12_000_000,
            4_000_000_000,
            scan,
            "large 12 million rows, 4 GB: about 4 s to 40 s",
        ),
        (
            12_000_000,
            4_000_000_000,
            rewrite,
            "large 12 million rows, 4 GB: about 40 s to 7 min",
        ),
        (
            250_000_000,
            90_000_000_000,
            index,
            "huge 250 million rows, 90 GB: about 5 min to 50 min",
        ),
        (
            12_500_000,
            2_500_000_000,
            Task::Change,
            "large 12 million rows, 2.5 GB: about 62 s to 21 min",
        ),
        // Few wide rows.
        (
            900,
            20_000_000_000,
            scan,
            "large 900 rows, 20 GB: about 20 s to 3 min",
        ),
    ] {
        let size = Size {
            rows,
            bytes,
            ..Size::default()
        };
        let found = estimate(&name("t"), task, size, &sizing);
        let words = format!("{} {}", found.class.as_str(), in_words(&found));
        assert_eq!(words, expected);
    }
}

#[test]
fn levels_follow_size_and_activity() {
    use Class as C;
    use Level::{Error, Info, Warning};
    for (level, class, busy, expected) in [
        (Error, C::Tiny, false, Info),
        (Error, C::Tiny, true, Warning),
        (Info, C::Tiny, true, Info),
        (Error, C::Small, false, Warning),
        (Warning, C::Medium, false, Warning),
        (Warning, C::Large, false, Error),
        (Info, C::Huge, true, Info),
    ] {
        assert_eq!(level_of_work(level, class, busy), expected);
    }
    assert_eq!(level_of_lock(Warning, true), Error);
    assert_eq!(level_of_lock(Warning, false), Warning);
    let size = |writes_per_second| Size {
        writes_per_second,
        ..Size::default()
    };
    assert!(is_busy(size(Some(100.0)), &Sizing::default()));
    assert!(!is_busy(size(Some(99.0)), &Sizing::default()));
    assert!(!is_busy(size(None), &Sizing::default()));
}
