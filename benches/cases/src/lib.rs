//! What is measured. A [`Case`] is one figure: counted by `count`, timed by `wall`, and held against others by
//! `versus`, always the same code on the same input.
//!
//! What has to be made before a run (a buffer that the run uses up, a session that is logged in) is made by the case
//! before it is asked to run, and dropped behind it: neither counts.

#![forbid(unsafe_code)]

pub mod callgrind;
pub mod content;
pub mod imap;
pub mod mime;
pub mod mx;
pub mod pop3;
pub mod sasl;
pub mod smtp;
pub mod table;

use std::cell::RefCell;
use std::rc::Rc;

/// One run, made ready: to be called once, and to be dropped when nothing is measured any more.
pub type Run = Box<dyn FnMut()>;

/// Makes runs ready, one after the other.
pub type Maker = Box<dyn FnMut() -> Run>;

/// What one run works through. Figures are for one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// So many equal items: commands, responses, lines of a listing. Figures are for one of them.
    Items(u64),
    /// So many octets. Times are rates, instructions are for one octet, memory is for the whole run.
    Octets(u64),
}

/// What the design asks for, in the unit of [`Work`]. A figure above it (a rate below it) has missed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Targets {
    /// Instructions.
    pub instructions: Option<f64>,
    /// Calls of the allocator that gave memory.
    pub allocations: Option<f64>,
    /// The most octets that were held at one time during the run, above those before it.
    pub peak: Option<u64>,
    /// Octets that are held for one item when the run is over.
    pub held: Option<f64>,
    /// Nanoseconds.
    pub nanoseconds: Option<f64>,
    /// Octets in a nanosecond, which are gigabytes in a second.
    pub rate: Option<f64>,
}

/// Something to measure.
pub struct Case {
    /// Its name: the protocol, and what is done.
    pub name: String,
    /// What one run works through.
    pub work: Work,
    /// What it should come to.
    pub targets: Targets,
    /// Whether a run takes long where each instruction is counted, so that it is not.
    pub long: bool,
    /// Why a count misses its target, if that is known; then it is no failure.
    pub known: Option<&'static str>,
    open: Box<dyn Fn() -> Maker>,
}

impl Case {
    /// A case whose runs go on with one state, such as a session. `open` makes it, `run` is measured.
    pub fn steady<S: 'static>(
        name: impl Into<String>,
        work: Work,
        open: impl Fn() -> S + 'static,
        run: impl Fn(&mut S) + Copy + 'static,
    ) -> Self {
        Self::new(name.into(), work, move || {
            let state = Rc::new(RefCell::new(open()));
            Box::new(move || {
                let state = Rc::clone(&state);
                Box::new(move || run(&mut state.borrow_mut()))
            })
        })
    }

    /// A case whose runs use up what `prepare` makes of what `open` made once. `run` is measured.
    pub fn fresh<S: 'static, I: 'static>(
        name: impl Into<String>,
        work: Work,
        open: impl Fn() -> S + 'static,
        prepare: impl Fn(&S) -> I + Copy + 'static,
        run: impl Fn(&mut I) + Copy + 'static,
    ) -> Self {
        Self::new(name.into(), work, move || {
            let source = open();
            Box::new(move || {
                let mut input = prepare(&source);
                Box::new(move || run(&mut input))
            })
        })
    }

    fn new(name: String, work: Work, open: impl Fn() -> Maker + 'static) -> Self {
        Self { name, work, targets: Targets::default(), long: false, known: None, open: Box::new(open) }
    }

    /// Makes what all runs share, and gives what makes them ready.
    #[must_use]
    pub fn open(&self) -> Maker {
        (self.open)()
    }

    /// With what it should come to.
    #[must_use]
    pub fn target(mut self, set: impl FnOnce(&mut Targets)) -> Self {
        set(&mut self.targets);
        self
    }

    /// With the reason why a count misses its target.
    #[must_use]
    pub const fn known(mut self, reason: &'static str) -> Self {
        self.known = Some(reason);
        self
    }

    /// Too long for instructions to be counted.
    #[must_use]
    pub const fn long(mut self) -> Self {
        self.long = true;
        self
    }
}

/// The cases whose names contain one of these words; all if there are none.
#[must_use]
pub fn matching(words: &[String]) -> Vec<Case> {
    let wanted = |case: &Case| words.is_empty() || words.iter().any(|word| case.name.contains(word.as_str()));
    all().into_iter().filter(wanted).collect()
}

/// All cases.
#[must_use]
pub fn all() -> Vec<Case> {
    let mut cases = smtp::cases();
    cases.extend(pop3::cases());
    cases.extend(imap::cases());
    cases.extend(sasl::cases());
    cases.extend(mx::cases());
    cases.extend(mime::cases());
    cases
}
