//! A plugin in Rust with its standard library alone: logs each finished build, and keeps
//! a list of what it handled. The protocol is in `protocol.rs`.

mod json;
mod protocol;

use json::Json;
use protocol::{Answer, Failure};
use std::fs::{read_to_string, File};
use std::io::{stdin, stdout, Write};

pub const MANIFEST: &str = r#"{"protocol_version":1,"name":"note_builds","version":"1.0",
    "events":["build_finished"]}"#;

/// What the host has told it.
#[derive(Default)]
pub struct Plugin {
    failures_only: bool,
    /// What a real plugin signs in with. Never print one.
    secrets: Json,
}

impl Plugin {
    /// Takes over what the operator writes below `[plugins.note_builds.settings]`.
    pub fn configure(&mut self, settings: &Json, secrets: &Json) -> Result<(), Failure> {
        self.failures_only = match settings.get("failures_only") {
            Json::Bool(given) => *given,
            Json::Null => false,
            _ => return Err(Failure::setting("failures_only", "is not true or false")),
        };
        self.secrets = secrets.clone();
        let token = self.secrets.get("token").text();
        let known = if token.is_empty() { "none" } else { "given" };
        eprintln!("ready; token: {known}"); // Not println: stdout is the wire.
        Ok(())
    }

    /// Your code goes here. It returns the result in JSON, or why there is none.
    pub fn handle(&self, event: &Json, redelivered: bool) -> Answer {
        let data = event.get("data");
        let status = data.get("buildStatus").text();
        if self.failures_only && status == "0" {
            return Ok(r#"{"status":"skipped","note":"it succeeded"}"#);
        }
        let mut builds = vec![data.get("build").text()];
        builds.extend(data.get("dependentIds").items().iter().map(Json::text));
        let line = format!("{}\t{}\n", event.get("id").text(), builds.join(" "));
        let known = || read_to_string("received.log").unwrap_or_default();
        if !redelivered || !known().contains(&line) {
            let mut options = File::options();
            let opened = options.append(true).create(true).open("received.log");
            opened.and_then(|mut received| received.write_all(line.as_bytes()))?;
            let url = data.get("url").text();
            eprintln!("build ended with status {status}: {url}");
        }
        Ok("{}")
    }
}

fn main() -> std::io::Result<()> {
    protocol::serve(Plugin::default(), stdin().lock(), stdout())
}
