//! As much of XML as configuration files take: elements, attributes, text. No document types, so no entities of their own; no
//! recursion; a depth that is bounded.

use alloc::string::String;
use alloc::vec::Vec;

/// Elements inside one another.
const DEPTH: usize = 32;

/// A part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// An element begins.
    Open { name: &'a str, attributes: Vec<(&'a str, String)> },
    /// It ends.
    Close { name: &'a str },
    /// Text between tags.
    Text(String),
}

/// All parts of a document; `None` if it is not well-formed.
pub(super) fn parts(document: &[u8]) -> Option<Vec<Part<'_>>> {
    let text = core::str::from_utf8(document).ok()?;
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut parts, mut open) = (Vec::new(), Vec::new());
    while !rest.is_empty() {
        let Some(tag) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            let (words, behind) = rest.split_at(end);
            if !words.trim().is_empty() {
                parts.push(Part::Text(plain(words)?));
            }
            rest = behind;
            continue;
        };
        if let Some(comment) = tag.strip_prefix("!--") {
            rest = comment.split_once("-->")?.1;
        } else if let Some(data) = tag.strip_prefix("![CDATA[") {
            let (data, behind) = data.split_once("]]>")?;
            parts.push(Part::Text(data.into()));
            rest = behind;
        } else if tag.starts_with('!') {
            return None;
        } else if let Some(instruction) = tag.strip_prefix('?') {
            rest = instruction.split_once("?>")?.1;
        } else if let Some(closing) = tag.strip_prefix('/') {
            let (name, behind) = closing.split_once('>')?;
            let name = local(name.trim_end());
            if open.pop() != Some(name) {
                return None;
            }
            parts.push(Part::Close { name });
            rest = behind;
        } else {
            let (name, attributes, alone, behind) = opening(tag)?;
            parts.push(Part::Open { name, attributes });
            if alone {
                parts.push(Part::Close { name });
            } else if open.len() >= DEPTH {
                return None;
            } else {
                open.push(name);
            }
            rest = behind;
        }
    }
    open.is_empty().then_some(parts)
}

type Opening<'a> = (&'a str, Vec<(&'a str, String)>, bool, &'a str);

/// What stands behind a `<`: the name, the attributes, whether the element is empty, and what comes behind.
fn opening(tag: &str) -> Option<Opening<'_>> {
    let end =
        tag.find(|character: char| character.is_ascii_whitespace() || matches!(character, '>' | '/'))?;
    let (name, mut rest) = tag.split_at(end);
    if name.is_empty() || name.contains(['<', '"', '\'', '=']) {
        return None;
    }
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(behind) = rest.strip_prefix("/>") {
            return Some((local(name), attributes, true, behind));
        }
        if let Some(behind) = rest.strip_prefix('>') {
            return Some((local(name), attributes, false, behind));
        }
        let (key, value) = rest.split_once('=')?;
        let key = key.trim_end();
        if key.is_empty()
            || key.contains(|character: char| {
                character.is_whitespace() || matches!(character, '<' | '>' | '"' | '\'')
            })
        {
            return None;
        }
        let value = value.trim_start();
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, behind) = value.get(1..)?.split_once(quote)?;
        attributes.push((local(key), plain(value)?));
        rest = behind;
    }
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// Text with its references resolved.
fn plain(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, reference)) = rest.split_once('&') {
        plain.push_str(before);
        let (name, behind) = reference.split_once(';')?;
        plain.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            number => {
                let digits = number.strip_prefix('#')?;
                let code = match digits.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => digits.parse(),
                };
                char::from_u32(code.ok()?)?
            }
        });
        rest = behind;
    }
    plain.push_str(rest);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(document: &str) -> Option<String> {
        let mut shown = String::new();
        for part in parts(document.as_bytes())? {
            shown += &match part {
                Part::Open { name, attributes } => {
                    let list: Vec<String> =
                        attributes.iter().map(|(key, value)| alloc::format!(" {key}={value}")).collect();
                    alloc::format!("<{name}{}>", list.concat())
                }
                Part::Close { name } => alloc::format!("</{name}>"),
                Part::Text(text) => text,
            };
        }
        Some(shown)
    }

    #[test]
    fn elements_attributes_and_text_are_read() {
        let document = "\u{feff}<?xml version='1.0'?>\n<!-- <x> --><a b='1' c = \"&lt;&#65;&#x42;\">x &amp; y<n:d/><![CDATA[<&]]></a >\n";
        assert_eq!(shown(document).unwrap(), "<a b=1 c=<AB>x & y<d></d><&</a>");
    }

    #[test]
    fn what_is_not_well_formed_or_tries_to_be_clever_is_refused() {
        for document in [
            "<a>",
            "<a></b>",
            "</a>",
            "<a b></a>",
            "<a b=1></a>",
            "<a b='1></a>",
            "<a>&x;</a>",
            "<a>&amp</a>",
            "<a>&#xd800;</a>",
            "<!DOCTYPE a [<!ENTITY x 'y'>]><a/>",
            "<a><!-- </a>",
            "<",
            "<>",
            "<a",
        ] {
            assert_eq!(shown(document), None, "{document}");
        }
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        assert_eq!(shown(&deep), None);
        assert_eq!(parts(b"\xff"), None);
    }
}
