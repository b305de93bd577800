//! Reads requests and writes answers, each a line of JSON.

use crate::json::{quote, read, Json};
use crate::{Plugin, MANIFEST};
use std::io::{self, BufRead, Write};

/// A result in JSON, or why there is none.
pub type Answer = Result<&'static str, Failure>;

/// Its code, what is wrong, and more about that in JSON.
pub struct Failure(i32, String, String);

impl Failure {
    fn new(code: i32, message: &str, data: &str) -> Failure {
        Failure(code, message.into(), data.into())
    }

    /// A setting that is wrong.
    pub fn setting(name: &str, problem: &str) -> Failure {
        let path = format!("settings.{name}");
        let (at, what) = (quote(&path), quote(problem));
        let data = format!(r#"{{"errors":[{{"path":{at},"message":{what}}}]}}"#);
        Failure::new(422, &format!("{path}: {problem}"), &data)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::new(500, &format!("received.log: {error}"), "{}")
    }
}

/// Answers lines until they end.
pub fn serve(mut plugin: Plugin, mut lines: impl BufRead, mut wire: impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        if let Some((id, answer)) = answer(&mut plugin, text.trim()) {
            let rest = match answer {
                Ok(result) => format!(r#""result":{}"#, result.replace('\n', "")),
                Err(Failure(code, message, data)) => {
                    let message = quote(&message);
                    format!(r#""error":{{"code":{code},"message":{message},"data":{data}}}"#)
                }
            };
            writeln!(wire, r#"{{"jsonrpc":"2.0","id":{id},{rest}}}"#)?;
        }
        line.clear();
    }
    Ok(())
}

/// An id in JSON, and what to answer. Notifications and empty lines get no answer.
fn answer(plugin: &mut Plugin, line: &str) -> Option<(String, Answer)> {
    let fail = |code, message| Err(Failure::new(code, message, "{}"));
    let frame = match read(line) {
        _ if line.is_empty() => return None,
        None => return Some(("null".into(), fail(-32700, "this is no JSON"))),
        Some(Json::Object(members)) => Json::Object(members),
        Some(_) => return Some(("null".into(), fail(-32600, "this is no frame"))),
    };
    let params = frame.get("params");
    let versions = params.get("protocol_versions").items();
    let id = match frame.get("id") {
        Json::Text(id) => quote(id),
        Json::Null => return None,
        _ => return Some(("null".into(), fail(-32600, "its id is no text"))),
    };
    let answer = match frame.get("method").text() {
        "initialize" if !versions.iter().any(|version| version.text() == "1") => {
            let message = "this plugin speaks version 1";
            Err(Failure::new(426, message, r#"{"supported":[1]}"#))
        }
        "initialize" => plugin
            .configure(params.get("config"), params.get("secrets"))
            .map(|()| MANIFEST),
        "event" => {
            let redelivered = params.get("delivery").get("redelivered");
            plugin.handle(params.get("event"), matches!(redelivered, Json::Bool(true)))
        }
        "shutdown" => Ok("{}"),
        _ => fail(-32601, "no such method"),
    };
    Some((id, answer))
}
