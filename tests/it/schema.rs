//! Holds `bounceback schema` and what `diagnose --json` really prints together: every field is described, every
//! described field is printed, every closed list is the program's own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use bounceback::model::{Cause, Kind, Ours, Role, Status, WhoActs};
use serde_json::{Map, Value};

fn schema() -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_bounceback")).arg("schema").output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The mails of the demo and of the transcripts, diagnosed by the real binary.
fn printed() -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders: Vec<PathBuf> = ["assets/demo", "tests/cli/files"].iter().map(|name| root.join(name)).collect();
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bounceback"));
    command.env("HOME", home.path()).args(["diagnose", "--json"]).args(folders);
    let output = command.output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let values: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(values.len() >= 45, "only {} mails", values.len());
    values
}

/// Checks a value against the part of JSON Schema that our schema uses. Stricter than a validator: a field that the
/// schema does not describe is an error, and so is a keyword this test does not know.
struct Validator<'a> {
    root: &'a Value,
    wrong: BTreeSet<String>,
    seen: BTreeSet<String>,
}

impl Validator<'_> {
    fn check(&mut self, value: &Value, schema: &Value, at: &str) {
        let schema = schema.as_object().unwrap();
        for (keyword, rule) in schema {
            let ok = match keyword.as_str() {
                "$schema" | "title" | "description" | "$defs" | "required" => continue,
                "type" => types(rule).iter().any(|name| is_type(value, name)),
                "enum" => rule.as_array().unwrap().contains(value),
                "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
                "maximum" => value.as_i64().is_none_or(|number| number <= rule.as_i64().unwrap()),
                // The one pattern there is: a status code, which has its own reader.
                "pattern" => value.as_str().is_none_or(|text| text.parse::<Status>().is_ok()),
                "format" => value.as_str().is_none_or(|text| bounceback::model::Timestamp::parse(text).is_some()),
                "$ref" => {
                    let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                    self.check(value, &self.root["$defs"][name], name);
                    continue;
                }
                "anyOf" => {
                    let choices = rule.as_array().unwrap();
                    let fits = |choice: &&Value| choice.get("type") != Some(&"null".into()) || value.is_null();
                    let null =
                        value.is_null() && choices.iter().any(|choice| choice.get("type") == Some(&"null".into()));
                    if !null {
                        self.check(value, choices.iter().find(fits).unwrap(), at);
                    }
                    continue;
                }
                "items" => {
                    for item in value.as_array().into_iter().flatten() {
                        self.check(item, rule, at);
                    }
                    continue;
                }
                "properties" => {
                    self.object(value.as_object(), schema, at);
                    continue;
                }
                other => panic!("this test does not know the keyword {other}"),
            };
            if !ok {
                self.wrong.insert(format!("{at}: {value} breaks {keyword} {rule}"));
            }
        }
    }

    fn object(&mut self, value: Option<&Map<String, Value>>, schema: &Map<String, Value>, at: &str) {
        let Some(value) = value else { return };
        let properties = schema["properties"].as_object().unwrap();
        for name in schema["required"].as_array().unwrap() {
            if !value.contains_key(name.as_str().unwrap()) {
                self.wrong.insert(format!("{at}: {name} is missing"));
            }
        }
        for (name, value) in value {
            let at = format!("{at}.{name}");
            match properties.get(name) {
                Some(schema) => self.check(value, schema, &at),
                None => drop(self.wrong.insert(format!("{at} is not described"))),
            }
            self.seen.insert(at);
        }
    }
}

fn types(rule: &Value) -> Vec<&str> {
    rule.as_array()
        .map_or_else(|| vec![rule.as_str().unwrap()], |names| names.iter().map(|name| name.as_str().unwrap()).collect())
}

fn is_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("this test does not know the type {other}"),
    }
}

#[test]
fn every_line_keeps_the_schema_and_nothing_stays_undescribed() {
    let schema = schema();
    let mut validator = Validator { root: &schema, wrong: BTreeSet::new(), seen: BTreeSet::new() };
    for value in printed() {
        validator.check(&value, &schema, "line");
    }
    assert!(validator.wrong.is_empty(), "\n{:#?}", validator.wrong);
    for place in [
        "line.source",
        "recipient.cause",
        "evidence.line",
        "ticket.id",
        "line.original.to",
        "line.authenticity.verdict",
    ] {
        assert!(validator.seen.iter().any(|seen| seen.ends_with(place)), "no mail prints {place}");
    }
}

#[test]
fn closed_lists_are_the_programs_own() {
    let schema = schema();
    let recipient = &schema["$defs"]["recipient"]["properties"];
    let slugs = |value: &Value| -> Vec<String> {
        value["enum"].as_array().unwrap().iter().map(|slug| slug.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(slugs(&recipient["cause"]), Cause::ALL.iter().map(|one| one.slug()).collect::<Vec<_>>());
    assert_eq!(slugs(&recipient["who_acts"]), WhoActs::ALL.iter().map(|one| one.slug()).collect::<Vec<_>>());
    assert_eq!(slugs(&schema["properties"]["kind"]), Kind::ALL.iter().map(|one| one.slug()).collect::<Vec<_>>());
    let role = &schema["properties"]["reporter"]["properties"]["role"];
    assert_eq!(slugs(role), Role::ALL.iter().map(|one| one.slug()).collect::<Vec<_>>());
    let verdict = &schema["properties"]["authenticity"]["properties"]["verdict"];
    assert_eq!(slugs(verdict), Ours::ALL.iter().map(|one| one.slug()).collect::<Vec<_>>());
}

#[test]
fn the_validator_refuses_what_it_must() {
    let schema = schema();
    let good = serde_json::json!({
        "source": "x", "kind": "other", "reporter": {"mta": null, "from": null, "role": "unknown"}, "recipients": [],
        "original": {"message_id": null, "subject": null, "from": null, "to": [], "date": null}, "ticket": null,
        "authenticity": {"verdict": "unknown", "because": []}, "notes": [],
        "notice": {"message_id": null, "from": null, "subject": null, "date": null, "references": []},
        "evidence": [], "new_addresses": [], "likely_bounce": false
    });
    let wrong = |value: &Value| {
        let mut validator = Validator { root: &schema, wrong: BTreeSet::new(), seen: BTreeSet::new() };
        validator.check(value, &schema, "line");
        validator.wrong.len()
    };
    assert_eq!(wrong(&good), 0);
    for (name, value) in [
        ("kind", "bounce".into()),
        ("extra", 1.into()),
        ("notes", Value::Null),
        ("ticket", serde_json::json!({"desk": 1})),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert!(wrong(&bad) > 0, "{name}");
    }
    let mut short = good.clone();
    short.as_object_mut().unwrap().remove("source");
    assert_eq!(wrong(&short), 1);
}
