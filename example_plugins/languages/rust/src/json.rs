//! JSON for a plugin without crates. With crates, take `serde_json` instead.

use std::collections::BTreeMap;

/// Levels of lists and objects; more of them could exhaust the stack.
const MAX_DEPTH: usize = 128;

#[derive(Clone, Default)]
pub enum Json {
    #[default]
    Null,
    Bool(bool),
    /// As it was written, so that no digit gets lost.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

impl Json {
    /// The member of that name; `Null` where there is none.
    pub fn get(&self, name: &str) -> &Json {
        match self {
            Json::Object(members) => members.get(name).unwrap_or(&Json::Null),
            _ => &Json::Null,
        }
    }

    /// The items of a list; none where it is something else.
    pub fn items(&self) -> &[Json] {
        match self {
            Json::List(items) => items,
            _ => &[],
        }
    }

    /// A text, or a number in its digits; empty where it is something else.
    pub fn text(&self) -> &str {
        match self {
            Json::Text(text) | Json::Number(text) => text,
            _ => "",
        }
    }
}

/// Reads one value, with nothing after it.
pub fn read(text: &str) -> Option<Json> {
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    (reader.take("") && reader.rest.is_empty()).then_some(value)
}

/// A text as JSON.
pub fn quote(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c < ' ' => format!("\\u{:04x}", c as u32),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > MAX_DEPTH {
            None
        } else if self.take("\"") {
            self.text().map(Json::Text)
        } else if self.take("{") {
            let mut members = BTreeMap::new();
            let mut open = !self.take("}");
            while open {
                let name = self.take("\"").then(|| self.text())??;
                let value = self.take(":").then(|| self.value(depth + 1))??;
                members.insert(name, value);
                open = self.take(",") || !self.take("}").then_some(true)?;
            }
            Some(Json::Object(members))
        } else if self.take("[") {
            let mut items = Vec::new();
            let mut open = !self.take("]");
            while open {
                items.push(self.value(depth + 1)?);
                open = self.take(",") || !self.take("]").then_some(true)?;
            }
            Some(Json::List(items))
        } else if self.take("null") {
            Some(Json::Null)
        } else if self.take("true") {
            Some(Json::Bool(true))
        } else if self.take("false") {
            Some(Json::Bool(false))
        } else {
            self.number()
        }
    }

    fn number(&mut self) -> Option<Json> {
        let after = |c: char| !c.is_ascii_digit() && !"+-.eE".contains(c);
        let end = self.rest.find(after).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        // Rust reads more than JSON has: "+1", "01", "1.", ".5".
        let digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let digits = number.strip_prefix('-').unwrap_or(number);
        let padded = digits.starts_with('0') && digit(&digits[1..]);
        let cut = digits.split('.').any(|part| !digit(part));
        let good = !padded && !cut && number.parse::<f64>().is_ok();
        good.then(|| Json::Number(number.into()))
    }

    /// The rest of a text whose first quote has been taken.
    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            let end = self.rest.find(|c| c == '"' || c == '\\' || c < ' ')?;
            text.push_str(&self.rest[..end]);
            let mut rest = self.rest[end..].chars();
            match (rest.next()?, rest.next()) {
                ('"', _) => {
                    self.rest = &self.rest[end + 1..];
                    return Some(text);
                }
                ('\\', Some(escape)) => {
                    self.rest = rest.as_str();
                    match escape {
                        '"' | '\\' | '/' => text.push(escape),
                        'b' => text.push('\u{8}'),
                        'f' => text.push('\u{c}'),
                        'n' => text.push('\n'),
                        'r' => text.push('\r'),
                        't' => text.push('\t'),
                        'u' => text.push_str(&self.units()?),
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
    }

    /// What `\u` escapes in a row say, which is UTF-16: two may be one character.
    fn units(&mut self) -> Option<String> {
        let mut units = Vec::new();
        loop {
            let digits = self.rest.get(..4)?;
            if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
                return None;
            }
            units.push(u16::from_str_radix(digits, 16).ok()?);
            self.rest = &self.rest[4..];
            match self.rest.strip_prefix("\\u") {
                Some(rest) => self.rest = rest,
                None => return Some(String::from_utf16_lossy(&units)),
            }
        }
    }
}
