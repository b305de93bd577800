// The plugin of ../rust in one short file: logs each finished build, and keeps a list of
// what it handled. It has no settings. Formatted by hand: rustfmt makes it longer.
//
// Its reader is no judge of JSON. It refuses escapes, words and numbers that are none, two
// texts side by side, and brackets that do not match; but not a comma or colon too many or
// too few, or numbers such as 01 and 1. It takes any depth.
use std::{collections::HashMap, fs, io, io::BufRead, io::Write};

// Escapes, and what they are in UTF-16. U+FDD1, which is no character, is a quote in a text.
const ESCAPES: &str = r#"\\005c \"fdd1 \/002f \b0008 \f000c \n000a \r000d \t0009"#;

// The values in JSON by their path, such as ".params.event.id"; of a list, all of them.
fn read(line: &str) -> Option<HashMap<String, Vec<String>>> {
    let (mut found, mut path, mut open, mut value) = (HashMap::new(), String::new(), vec![], None);
    let code = |text: String, at: &str| text.replace(&at[..2], &format!("\\u{}", &at[2..]));
    let escaped = ESCAPES.split(' ').fold(line.into(), code).replace("\\u0022", "\\ufdd1");
    if escaped.replace("\\u", "").contains(|c| c == '\\' || c < ' ' && c != '\t') { return None; }
    let mut units: Vec<u16> = Vec::new();
    for piece in format!("\\u0020{escaped},").split("\\u").skip(1) {
        units.push(u16::from_str_radix(piece.get(..4)?, 16).ok()?);
        units.extend(piece[4..].encode_utf16());
    }
    for (at, part) in String::from_utf16_lossy(&units).split('"').enumerate() {
        if at % 2 == 1 && value.replace(part.replace('\u{fdd1}', "\"")).is_some() { return None; }
        for piece in part.trim().split_inclusive(|c| "{}[]:,".contains(c)).filter(|_| at % 2 == 0) {
            let word = piece.trim_matches(|sign| " \t{}[]:,".contains(sign));
            let ok = word.parse().map_or(["null", "true", "false"].contains(&word), f64::is_finite);
            if !word.is_empty() && (!ok || value.replace(word.into()).is_some()) { return None; }
            let sign = piece.chars().last()?;
            if sign == '{' || sign == '[' { open.push((sign, path.len())); }
            if sign == ':' { path.truncate(open.last()?.1); path = path + "." + &value.take()?; }
            // Cut, as a line may have many paths, each of them nearly as long as it.
            found.entry(path.chars().take(50).collect()).or_insert(vec![]).extend(value.take());
            // In ASCII a bracket that closes is the second after that which opens.
            let opened = |(start, _): &(char, usize)| *start as u8 + 2 == sign as u8;
            if sign == '}' || sign == ']' { path.truncate(open.pop().filter(opened)?.1); }
        }
    }
    open.is_empty().then_some(found)
}

// Your code goes here. What is printed has to go to stderr, which is the log.
fn handle(get: impl Fn(&str) -> Vec<String>) -> io::Result<()> {
    let builds = [get(".params.event.data.build"), get(".params.event.data.dependentIds")].concat();
    let line = format!("{}\t{}\n", get(".params.event.id").concat(), builds.join(" "));
    let known = || fs::read_to_string("received.log").unwrap_or_default().contains(&line);
    if get(".params.delivery.redelivered") == ["true"] && known() { return Ok(()); }
    eprintln!("build ended: {}", get(".params.event.data.url").concat());
    let mut received = fs::File::options().append(true).create(true).open("received.log")?;
    received.write_all(line.as_bytes())
}

fn main() {
    let fail = |code, why: &str| format!(r#""error":{{"code":{code},"message":"{why}"}}"#);
    for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).trim().to_string();
        let (frame, object) = (read(&line), line.starts_with('{'));
        let get = |at: &str| frame.iter().find_map(|all| all.get(at).cloned()).unwrap_or_default();
        let id = get(".id").first().map_or("null".into(), |id| format!("{id:?}"));
        let done = r#""result":{}"#.to_string();
        if line.is_empty() || frame.is_some() && object && id == "null" { continue; }
        println!(r#"{{"jsonrpc":"2.0","id":{id},{}}}"#, match get(".method").concat().as_str() {
            _ if frame.is_none() => fail(-32700, "this is no JSON"),
            _ if !object => fail(-32600, "this is no frame"),
            "initialize" if !get(".params.protocol_versions").contains(&"1".into()) =>
                r#""error":{"code":426,"message":"it speaks 1","data":{"supported":[1]}}"#.into(),
            "initialize" => r#""result":{"protocol_version":1,"name":"note_builds","version":"1.0",
                "events":["build_finished"]}"#.replace('\n', ""),
            "event" => handle(get).err().map_or(done, |e| fail(500, &format!("received.log: {e}"))),
            "shutdown" => done,
            _ => fail(-32601, "no such method"),
        });
    }
}
