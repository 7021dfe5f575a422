use super::*;
use crate::source::{Source, SourceId};

fn read(text: &str) -> Result<Snapshot, String> {
    let source = Source::new(SourceId(0), "stats.json", text);
    parse(&source).map_err(|problem| {
        let at = source.position(problem.span.start);
        let marked = source.slice(problem.span);
        let help = match problem.help {
            Some(help) if help.starts_with("did") => format!("; {help}"),
            _ => String::new(),
        };
        format!(
            "{}:{} <{marked}> {}{help}",
            at.line, at.column, problem.message
        )
    })
}

/// A snapshot with everything in it.
fn full() -> Snapshot {
    let relation = |name: &str| Relation {
        name: name.to_owned(),
        schema: public(),
        ..Relation::default()
    };
    Snapshot {
        taken_at: Some("2026-11-20T14:00:00Z".to_owned()),
        server_version_num: Some(160_004),
        database: Some("shop".to_owned()),
        database_bytes: Some(9_000_000_000),
        stats_reset: Some("2026-11-10T14:00:00Z".to_owned()),
        schema_fingerprint: Some("6f1c".to_owned()),
        settings: BTreeMap::from([("max_connections".to_owned(), "100".to_owned())]),
        relations: vec![
            Relation {
                kind: Kind::PartitionedTable,
                ..relation("events")
            },
            Relation {
                partition_of: Some(RelationName {
                    schema: public(),
                    name: "events".to_owned(),
                }),
                rows: Some(12_000_000),
                bytes: Some(4_000_000_000),
                total_bytes: Some(6_000_000_000),
                index_bytes: Some(1_000_000_000),
                indexes: vec![Index {
                    name: "events_2026_kind_idx".to_owned(),
                    valid: false,
                    unique: false,
                    bytes: Some(1_000_000_000),
                    scans: Some(0),
                }],
                activity: Some(Activity {
                    inserted: 8_640_000,
                    ..Activity::default()
                }),
                last_analyzed: Some("2026-11-20T02:00:00Z".to_owned()),
                ..relation("events_2026")
            },
        ],
        statements: vec![StatementStats {
            query_id: "-3416356442043621232".to_owned(),
            text: Some("SELECT $1".to_owned()),
            calls: 7,
            mean_ms: 0.25,
        }],
        ..Snapshot::default()
    }
}

#[test]
fn what_is_written_is_read_and_is_what_the_schema_says() {
    let snapshot = full();
    let text = snapshot.to_json().expect("finite numbers");
    assert_eq!(read(&text), Ok(snapshot.clone()));
    assert!(text.starts_with("{\n  \"format\": \"lockgate-snapshot\",\n  \"version\": \"1.1\","));
    assert_eq!(snapshot.counted_seconds(), Some(864_000));
    assert!(snapshot.relation("public", "events_2026").is_some());
    assert!(snapshot.relation("other", "events_2026").is_none());

    let schema = serde_json::from_str(SCHEMA).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let written = serde_json::from_str(&text).expect("JSON");
    let errors: Vec<String> = validator
        .iter_errors(&written)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    // Every key that is written is described.
    let described = SCHEMA.to_owned();
    let mut values = vec![&written];
    while let Some(value) = values.pop() {
        match value {
            serde_json::Value::Object(map) => {
                for (key, value) in map {
                    let known = described.contains(&format!("\"{key}\":"));
                    assert!(known || key == "max_connections", "{key} is not described");
                    values.push(value);
                }
            }
            serde_json::Value::Array(list) => values.extend(list),
            _ => {}
        }
    }
}

#[test]
fn a_file_written_by_hand_needs_little() {
    let snapshot = read("\u{feff}{\"relations\": [{\"name\": \"orders\", \"rows\": 5}]}");
    let snapshot = snapshot.expect("enough");
    let orders = snapshot.relation("public", "orders").expect("there");
    assert_eq!((orders.rows, orders.bytes), (Some(5), None));
    assert_eq!(orders.kind, Kind::Table);
    assert_eq!(snapshot.counted_seconds(), None);
    assert_eq!(read("{}"), Ok(Snapshot::default()));
}

#[test]
fn keys_of_a_newer_minor_version_are_passed_over() {
    let newer =
        r#"{"version": "1.7", "relations": [{"name": "t", "shards": {"rows": [1]}}], "x": 1}"#;
    assert_eq!(read(newer).expect("readable").relations.len(), 1);
}

#[test]
fn what_is_wrong_is_shown_at_its_place() {
    let mut wrong = Vec::new();
    for (text, expected) in [
        (
            "{\"relations\": [\n  {\"name\": \"t\", \"row\": 1},\n  {\"name\": \"u\", \"row\": 1}]}",
            "2:18 <row> `row` is not a key of a snapshot; did you mean `rows`?",
        ),
        (
            "\u{feff}{\"relation\" : []}",
            "1:4 <relation> `relation` is not a key of a snapshot; did you mean `relations`?",
        ),
        (
            "{\"version\": \"2.0\"}",
            "1:18 <}> not a snapshot: version 2.0 of the snapshot format cannot be read; this Lockgate knows 1.x",
        ),
        (
            "{\"format\": \"pgstats\"}",
            "1:20 <\"> not a snapshot: unknown variant `pgstats`, expected `lockgate-snapshot`",
        ),
        (
            "{\"relations\": [{\"rows\": 1}]}",
            "1:26 <}> not a snapshot: missing field `name`",
        ),
        (
            "{\"relations\": [{\"name\": \"t\", \"rows\": -1}]}",
            "1:39 <1> not a snapshot: invalid value: integer `-1`, expected u64",
        ),
        (
            "{\"relations\": [",
            "1:15 <[> this is not JSON: EOF while parsing a list",
        ),
        ("", "1:1 <> this is not JSON: EOF while parsing a value"),
        ("[1, é]", "1:2 <1> this is not JSON: expected value"),
        ("{} x", "1:4 <x> this is not JSON: trailing characters"),
    ] {
        if read(text) != Err(expected.to_owned()) {
            wrong.push(format!("{text}: {:?}", read(text)));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let deep = "[".repeat(100_000);
    assert!(read(&format!("{{\"relations\": {deep}")).is_err());
}
