//! [`Returning`]: searches that say what they return: counts, ends, parts, ranges, `$`. RFC 4731, RFC 5182, RFC 5267,
//! RFC 7377, RFC 9394.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use mailwright_core::session::{Progress, Task};

use super::super::{Client, CommandId, Event};
use super::{Step, TaskError, conclude};
use crate::types::{
    Command, ExtendedSearch, MultiSearchCommand, NumberEnd, NumberRange, NumberSet, SearchCollector,
    SearchCommand, SearchData, SearchReturn, SortCommand, StatusKind,
};

/// A search, or a sort, in the extended form: what it returns is for its RETURN to say. Ends with what the server
/// told, one for each mailbox; with nothing if it was only to save what it found (`$`).
#[derive(Debug)]
pub struct Returning {
    command: Command,
    /// Whether UIDs are asked for.
    uid: bool,
    limit: usize,
    id: Option<CommandId>,
    found: Vec<ExtendedSearch>,
    collector: Option<SearchCollector>,
    /// Of a server that answers in the basic form.
    numbers: Vec<u32>,
    /// Elements so far.
    elements: usize,
    too_many: bool,
}

impl Returning {
    /// A search. Without [`SearchCommand::returns`] it is that of all numbers.
    #[must_use]
    pub fn search(mut search: SearchCommand) -> Self {
        search.returns.get_or_insert_with(|| Vec::from([SearchReturn::All]));
        let uid = search.uid;
        Self::new(Command::Search(search), uid)
    }

    /// A sort.
    #[must_use]
    pub fn sort(mut sort: SortCommand) -> Self {
        sort.returns.get_or_insert_with(|| Vec::from([SearchReturn::All]));
        let uid = sort.uid;
        Self::new(Command::Sort(sort), uid)
    }

    /// A search of several mailboxes.
    #[must_use]
    pub fn of_several(search: MultiSearchCommand) -> Self {
        Self::new(Command::MultiSearch(search), true)
    }

    fn new(command: Command, uid: bool) -> Self {
        Self {
            command,
            uid,
            limit: super::Search::LIMIT,
            id: None,
            found: Vec::new(),
            collector: None,
            numbers: Vec::new(),
            elements: 0,
            too_many: false,
        }
    }

    /// Ranges and numbers above which the task fails. Default 4 000 000, which is 64 MB.
    #[must_use]
    pub const fn limit(mut self, elements: usize) -> Self {
        self.limit = elements;
        self
    }

    /// Counts one more.
    const fn fits(&mut self) -> bool {
        let fits = self.elements < self.limit;
        if fits {
            self.elements += 1;
        } else {
            self.too_many = true;
        }
        fits
    }

    fn result(&mut self) -> Vec<ExtendedSearch> {
        let numbers = core::mem::take(&mut self.numbers);
        let range = |number| {
            let end = NumberEnd::Number(NonZeroU32::new(number)?);
            Some(NumberRange { from: end, to: end })
        };
        if let Some(all) = NumberSet::new(numbers.into_iter().filter_map(range)) {
            let mut found = ExtendedSearch { uid: self.uid, ..ExtendedSearch::default() };
            found.data.push(SearchData::All(all));
            self.found.push(found);
        }
        core::mem::take(&mut self.found)
    }
}

impl Task<Client> for Returning {
    type Item = core::convert::Infallible;
    type Output = Vec<ExtendedSearch>;
    type Error = TaskError;

    fn start(&mut self, client: &mut Client) -> Result<(), TaskError> {
        self.id = Some(client.command(self.command.clone())?);
        Ok(())
    }

    fn handle(&mut self, _client: &mut Client, event: Event) -> Step<Self> {
        match event {
            Event::ExtendedSearchBegin { search, during } if during == self.id => {
                self.collector = Some(SearchCollector::new(*search, self.limit));
            }
            Event::SearchData(data) if self.collector.is_some() => {
                if self.fits()
                    && let Some(collector) = &mut self.collector
                {
                    collector.data(data);
                }
            }
            Event::SearchList(list) if self.collector.is_some() => {
                if let Some(collector) = &mut self.collector {
                    collector.begin(list);
                }
            }
            Event::SearchElement(element) if self.collector.is_some() => {
                if self.fits()
                    && let Some(collector) = &mut self.collector
                {
                    self.too_many |= !collector.add(element);
                }
            }
            Event::ExtendedSearchEnd if self.collector.is_some() => {
                self.found.extend(self.collector.take().map(SearchCollector::finish));
            }
            Event::SearchNumber(number) => {
                if self.fits() {
                    self.numbers.push(number);
                }
            }
            Event::SearchBegin { .. }
            | Event::SortBegin { .. }
            | Event::SearchModSeq(_)
            | Event::SearchEnd
            | Event::Deviation(_) => {}
            Event::Completed { id, status } if Some(id) == self.id => {
                if self.too_many && status.kind == StatusKind::Ok {
                    return Progress::Done(Err(TaskError::TooMany { limit: self.limit }));
                }
                let found = self.result();
                return conclude(status, |_| found);
            }
            Event::Closed(reason) => return Progress::Done(Err(TaskError::Closed(reason))),
            event => return Progress::NotMine(event),
        }
        Progress::Continue
    }
}
