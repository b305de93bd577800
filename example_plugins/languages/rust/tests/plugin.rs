//! Speaks with the plugin as the host does, and looks at what it has done.

use std::fs::{create_dir_all, read_to_string, remove_dir_all};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// An empty directory for one test.
fn state(test: &str) -> PathBuf {
    let state = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = remove_dir_all(&state);
    create_dir_all(&state).unwrap();
    state
}

/// What it answers when it is given settings and then an event of a build.
fn answers(state: &PathBuf, config: &str, build: i32, status: i32) -> Vec<String> {
    let mut plugin = Command::new(env!("CARGO_BIN_EXE_note_builds"))
        .current_dir(state)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut wire = plugin.stdin.take().unwrap();
    let hello = format!(r#"{{"protocol_versions":[1],"config":{config}}}"#);
    writeln!(
        wire,
        r#"{{"id":"i","method":"initialize","params":{hello}}}"#
    )
    .unwrap();
    let data = format!(r#"{{"build":{build},"buildStatus":{status}}}"#);
    let event = format!(r#"{{"event":{{"id":"e:{build}","data":{data}}}}}"#);
    writeln!(wire, r#"{{"id":"e","method":"event","params":{event}}}"#).unwrap();
    drop(wire);
    let output = plugin.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(String::from).collect()
}

#[test]
fn a_build_is_noted() {
    let state = state("noted");
    let answer = &answers(&state, "{}", 7, 1)[1];
    assert_eq!(answer, r#"{"jsonrpc":"2.0","id":"e","result":{}}"#);
    let received = read_to_string(state.join("received.log")).unwrap();
    assert_eq!(received, "e:7\t7\n");
}

#[test]
fn a_success_may_be_skipped() {
    let answer = &answers(&state("skipped"), r#"{"failures_only":true}"#, 8, 0)[1];
    assert!(answer.contains(r#""status":"skipped""#), "{answer}");
}

#[test]
fn a_wrong_setting_is_named() {
    let answer = &answers(&state("wrong"), r#"{"failures_only":"yes"}"#, 9, 1)[0];
    assert!(answer.contains(r#""code":422"#), "{answer}");
    assert!(
        answer.contains(r#""path":"settings.failures_only""#),
        "{answer}"
    );
}
