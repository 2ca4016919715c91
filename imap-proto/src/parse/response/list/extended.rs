//! ESEARCH: what it is about, and names with values, of which sets and lists come by their elements. RFC 9051 §7.3.5,
//! RFC 4731 §3.2, RFC 5267 §4, RFC 6203 §4, RFC 7377 §2.1, RFC 9394 §3.1.

use alloc::boxed::Box;

use bytes::Bytes;
use mailwright_core::value::{DeviationKind, UidValidity};

use super::{Token, TokenKind};
use crate::parse::response::event::ResponseEvent;
use crate::parse::response::limits::ResponseLimits;
use crate::parse::response::output::Output;
use crate::parse::response::tokens::{Failure, Tokens};
use crate::parse::response::values::mailbox;
use crate::types::{
    ExtendedSearch, NumberEnd, NumberRange, PartialRange, SearchData, SearchElement, SearchList, Tag,
};
use crate::wire::{Unit, ValueStart};

/// Where in an ESEARCH the reader is.
#[derive(Clone, Debug)]
pub(super) struct Extended {
    /// What it is about, until that was handed on.
    head: Option<Box<ExtendedSearch>>,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    /// At the beginning.
    Start,
    /// Where a name comes.
    Name,
    /// Where the value of this name comes.
    Value(Bytes),
    /// Where the value of something comes that is no name.
    NoValue,
    /// In a list.
    List(Name, Stage),
}

/// What comes by its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    All,
    Partial,
    Relevancy,
    AddTo,
    RemoveFrom,
}

/// Where in a list the reader is.
#[derive(Clone, Debug)]
enum Stage {
    /// Before the parenthesis.
    Start,
    /// Before the range of places of PARTIAL.
    Part,
    /// Before the ranges of PARTIAL, whose places were this, at this offset.
    Found(Bytes, u64),
    /// Before, or behind, a score.
    Scores,
    /// Before a place.
    Place,
    /// Before the ranges of this place, which stood at this offset; or before the first of ALL.
    Ranges(Bytes, u64),
    /// Behind a range.
    Set,
    /// Complete.
    Done,
    /// It cannot be read, which was said.
    Bad,
}

impl Name {
    const ALL: [Self; 5] = [Self::All, Self::Partial, Self::Relevancy, Self::AddTo, Self::RemoveFrom];

    const fn as_str(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Partial => "PARTIAL",
            Self::Relevancy => "RELEVANCY",
            Self::AddTo => "ADDTO",
            Self::RemoveFrom => "REMOVEFROM",
        }
    }

    fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str().as_bytes().eq_ignore_ascii_case(name))
    }

    const fn start(self) -> ValueStart {
        match self {
            Self::All => ValueStart::Digit,
            _ => ValueStart::Parenthesis,
        }
    }

    const fn bytes(self) -> Bytes {
        Bytes::from_static(self.as_str().as_bytes())
    }
}

impl Extended {
    pub(super) fn new() -> Self {
        Self { head: Some(Box::default()), place: Place::Start }
    }

    /// What it is about is known.
    fn begun(&mut self, output: &mut Output) {
        output.events.extend(self.head.take().map(ResponseEvent::ExtendedSearchBegin));
    }

    /// A value as a whole: what it is about, a name, or the value of one.
    pub(super) fn value(
        &mut self,
        unit: &Unit,
        limits: &ResponseLimits,
        output: &mut Output,
    ) -> Option<ValueStart> {
        match core::mem::replace(&mut self.place, Place::Name) {
            Place::Start => self.first(unit, limits, output),
            Place::Name => self.name(unit, limits, output),
            Place::Value(name) => {
                data(name, unit, limits, output);
                None
            }
            Place::NoValue => {
                output.invalid_unit(unit, Failure::Expected("a name"));
                None
            }
            Place::List(name, _) => {
                // What is no element, up to the end of the list.
                invalid(name, &unit.octets, unit.offset, output);
                None
            }
        }
    }

    fn first(&mut self, unit: &Unit, limits: &ResponseLimits, output: &mut Output) -> Option<ValueStart> {
        if unit.octets.trim_ascii_start().first() == Some(&b'(') {
            let mut search = ExtendedSearch::default();
            let read = output.read(unit, limits, |tokens| {
                tokens.space()?;
                correlators(tokens, &mut search)?;
                tokens.end()
            });
            match read {
                Ok(()) => self.head = Some(Box::new(search)),
                Err(error) => output.report(unit.octets.clone(), error),
            }
            return None;
        }
        self.name(unit, limits, output)
    }

    /// A name, or the word UID in front of all.
    fn name(&mut self, unit: &Unit, limits: &ResponseLimits, output: &mut Output) -> Option<ValueStart> {
        let name = output.read(unit, limits, |tokens| {
            tokens.space()?;
            if tokens.peek().is_none() {
                return Ok(None);
            }
            let name = tokens.atom()?;
            tokens.end()?;
            Ok(Some(tokens.keep(name)))
        });
        let name = match name {
            Ok(Some(name)) => name,
            // Only spaces, at the end.
            Ok(None) => return None,
            Err(error) => {
                self.begun(output);
                output.report(unit.octets.clone(), error);
                self.place = Place::NoValue;
                return None;
            }
        };
        if let Some(head) = &mut self.head {
            head.uid = name.eq_ignore_ascii_case(b"UID");
            let uid = head.uid;
            self.begun(output);
            if uid {
                return None;
            }
        }
        if name.eq_ignore_ascii_case(b"UID") {
            // It stands in front of all, and is no name.
            output.invalid_unit(unit, Failure::Expected("a name"));
            return None;
        }
        let list = Name::parse(&name);
        self.place = Place::Value(name);
        list.map(Name::start)
    }

    /// A token of a value that comes by its elements.
    pub(super) fn element(&mut self, token: Token<'_>, output: &mut Output) {
        if let Place::Value(name) = &self.place {
            let Some(name) = Name::parse(name) else { return };
            let stage = if name == Name::All {
                output.push(ResponseEvent::SearchList(SearchList::All));
                Stage::Ranges(Bytes::new(), token.offset)
            } else {
                Stage::Start
            };
            self.place = Place::List(name, stage);
        }
        if let Place::List(name, stage) = &mut self.place {
            *stage = step(*name, core::mem::replace(stage, Stage::Bad), token, output);
        }
    }

    /// The value is complete.
    pub(super) fn elements_end(&mut self, offset: u64, output: &mut Output) {
        match core::mem::replace(&mut self.place, Place::Name) {
            Place::List(_, Stage::Done | Stage::Bad) | Place::List(Name::All, _) => {}
            _ => output.invalid(b"", offset, Failure::Expected("the end of a list")),
        }
    }

    /// The response ends. Whether a value is missing.
    pub(super) fn end(&mut self, output: &mut Output) -> bool {
        self.begun(output);
        !matches!(self.place, Place::Start | Place::Name)
    }
}

/// Hands on an element, and says where the list goes on.
fn step(name: Name, stage: Stage, token: Token<'_>, output: &mut Output) -> Stage {
    match (stage, token.kind) {
        (Stage::Start, TokenKind::Open) => match name {
            Name::All | Name::Partial => Stage::Part,
            Name::Relevancy => begin(SearchList::Relevancy, Stage::Scores, output),
            Name::AddTo => begin(SearchList::AddTo, Stage::Place, output),
            Name::RemoveFrom => begin(SearchList::RemoveFrom, Stage::Place, output),
        },
        (Stage::Part, TokenKind::Word) => match PartialRange::parse(token.octets) {
            Some(range) => begin(SearchList::Partial(range), Stage::Found(token.raw(), token.offset), output),
            None => bad(name, token, Stage::Bad, output),
        },
        (Stage::Found(..), TokenKind::Word) if token.is(b"NIL") => Stage::Set,
        (Stage::Scores, TokenKind::Word) => {
            // RFC 6203 §7: score, 1 to 100.
            let score = token.number().and_then(|score| u8::try_from(score).ok());
            match score.filter(|score| (1..=100).contains(score)) {
                Some(score) => element(SearchElement::Score(score), output),
                None => return bad(name, token, Stage::Scores, output),
            }
            Stage::Scores
        }
        (Stage::Place, TokenKind::Word) => place(name, token, output),
        // Behind a range without a comma, another place follows.
        (Stage::Set, TokenKind::Word)
            if !token.behind_comma && matches!(name, Name::AddTo | Name::RemoveFrom) =>
        {
            place(name, token, output)
        }
        (Stage::Found(..) | Stage::Ranges(..), TokenKind::Word) => range(name, token, output),
        (Stage::Set, TokenKind::Word) if token.behind_comma => range(name, token, output),
        (Stage::Set, TokenKind::Comma) if !token.behind_comma => Stage::Set,
        (Stage::Scores | Stage::Place | Stage::Set, TokenKind::Close) if name != Name::All => Stage::Done,
        // Nothing was told of these places.
        (Stage::Found(raw, at) | Stage::Ranges(raw, at), TokenKind::Close) if name != Name::All => {
            invalid(name, &raw, at, output);
            Stage::Done
        }
        (Stage::Bad, _) => Stage::Bad,
        (stage, TokenKind::Word | TokenKind::Comma) => bad(name, token, stage, output),
        (_, TokenKind::Open | TokenKind::Close) => {
            token.invalid("an element", output);
            Stage::Bad
        }
    }
}

fn begin(list: SearchList, stage: Stage, output: &mut Output) -> Stage {
    output.push(ResponseEvent::SearchList(list));
    stage
}

fn element(element: SearchElement, output: &mut Output) {
    output.push(ResponseEvent::SearchElement(element));
}

/// RFC 5267 §5: where something came or went.
fn place(name: Name, token: Token<'_>, output: &mut Output) -> Stage {
    match token.number32() {
        Some(place) => {
            element(SearchElement::Place(place), output);
            Stage::Ranges(token.raw(), token.offset)
        }
        None => bad(name, token, Stage::Bad, output),
    }
}

fn range(name: Name, token: Token<'_>, output: &mut Output) -> Stage {
    match token.range() {
        Some((from, to)) => {
            let (from, to) = (NumberEnd::Number(from), NumberEnd::Number(to));
            element(SearchElement::Range(NumberRange { from, to }), output);
            Stage::Set
        }
        None => bad(name, token, Stage::Set, output),
    }
}

/// Something that cannot be read; the list goes on in `stage`.
fn bad(name: Name, token: Token<'_>, stage: Stage, output: &mut Output) -> Stage {
    invalid(name, token.octets, token.offset, output);
    stage
}

fn invalid(name: Name, value: &[u8], offset: u64, output: &mut Output) {
    output.note(offset, value);
    let value = Bytes::copy_from_slice(value.trim_ascii_start());
    output.push(ResponseEvent::SearchData(SearchData::Invalid { name: name.bytes(), value }));
}

/// A value that comes as a whole. What cannot be read costs nothing but itself.
fn data(name: Bytes, unit: &Unit, limits: &ResponseLimits, output: &mut Output) {
    let data = output.read(unit, limits, |tokens| {
        tokens.space()?;
        let (mark, at) = (tokens.mark(), tokens.at());
        let unknown = match known(tokens, &name) {
            Ok(Some(data)) if tokens.peek().is_none() => return Ok(data),
            Err(failure @ Failure::NotTolerated(_)) => return Err(failure),
            Ok(None) => tokens.skip_value().is_ok() && tokens.peek().is_none(),
            _ => false,
        };
        tokens.rewind(mark);
        if !unknown {
            tokens.note(DeviationKind::Ignored, at);
        }
        let value = tokens.take_rest();
        let value = tokens.keep(value);
        Ok(match unknown {
            true => SearchData::Unknown { name, value },
            false => SearchData::Invalid { name, value },
        })
    });
    match data {
        Ok(data) => output.push(ResponseEvent::SearchData(data)),
        Err(error) => output.report(unit.octets.clone(), error),
    }
}

/// The value of a known name.
fn known(tokens: &mut Tokens<'_>, name: &[u8]) -> Result<Option<SearchData>, Failure> {
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    Ok(Some(match () {
        () if is(b"MIN") => SearchData::Min(tokens.above_zero()?),
        () if is(b"MAX") => SearchData::Max(tokens.above_zero()?),
        () if is(b"COUNT") => SearchData::Count(tokens.number()?),
        () if is(b"MODSEQ") => SearchData::ModSeq(tokens.mod_seq()?),
        () if Name::parse(name).is_some() => return Err(Failure::Expected("a set or a list")),
        () => return Ok(None),
    }))
}

/// What it is about: RFC 7377 §4, `search-correlator`.
fn correlators(tokens: &mut Tokens<'_>, search: &mut ExtendedSearch) -> Result<(), Failure> {
    tokens.list("what the search is", |tokens| {
        let name = tokens.atom()?;
        tokens.space()?;
        match () {
            () if name.eq_ignore_ascii_case(b"TAG") => {
                let at = tokens.at();
                search.tag = Tag::new(tokens.astring()?).ok();
                if search.tag.is_none() {
                    tokens.deviate_at(DeviationKind::Ignored, at)?;
                }
            }
            () if name.eq_ignore_ascii_case(b"MAILBOX") => search.mailbox = Some(mailbox(tokens)?),
            () if name.eq_ignore_ascii_case(b"UIDVALIDITY") => {
                let at = tokens.at();
                search.uid_validity = UidValidity::new(tokens.number32()?);
                if search.uid_validity.is_none() {
                    tokens.deviate_at(DeviationKind::UnexpectedZero, at)?;
                }
            }
            () => {
                tokens.note(DeviationKind::Ignored, tokens.at());
                tokens.skip_value()?;
            }
        }
        Ok(None::<()>)
    })?;
    Ok(())
}
