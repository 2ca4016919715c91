//! Client work on the toy protocol.

use std::collections::VecDeque;

use bytes::Bytes;
use mailwright_core::session::{Progress, Task};

use super::{Event, Toy};

/// Sends content and yields its echo.
#[derive(Debug)]
pub struct Echo {
    content: Bytes,
    to_come: usize,
}

impl Echo {
    pub fn new(content: impl Into<Bytes>) -> Self {
        let content = content.into();
        Self { to_come: content.len(), content }
    }
}

impl Task<Toy> for Echo {
    type Item = Bytes;
    type Output = &'static str;
    type Error = core::convert::Infallible;

    fn start(&mut self, toy: &mut Toy) -> Result<(), Self::Error> {
        toy.announce(self.content.len() as u64);
        Ok(())
    }

    fn ready(&mut self, toy: &mut Toy) -> Progress<Self, Toy> {
        let count = toy.write(&self.content);
        let _ = self.content.split_to(count);
        Progress::Continue
    }

    fn handle(&mut self, _: &mut Toy, event: Event) -> Progress<Self, Toy> {
        match event {
            Event::Octets(octets) if octets.len() >= self.to_come => {
                self.to_come = 0;
                Progress::Done(Ok("all"))
            }
            Event::Octets(octets) => {
                self.to_come -= octets.len();
                Progress::Item(octets)
            }
            other => Progress::NotMine(other),
        }
    }
}

/// Sends content that the host pushes when it is asked for, and ends with the length of the echo.
#[derive(Debug)]
pub struct Pushed {
    length: usize,
    to_come: usize,
    to_ask: usize,
    chunks: VecDeque<Bytes>,
}

impl Pushed {
    pub fn new(length: usize) -> Self {
        Self { length, to_come: length, to_ask: length, chunks: VecDeque::new() }
    }

    pub fn push(&mut self, chunk: Bytes) {
        self.to_ask -= chunk.len();
        self.chunks.push_back(chunk);
    }
}

impl Task<Toy> for Pushed {
    /// More content, please; so much is missing.
    type Item = usize;
    type Output = usize;
    type Error = &'static str;

    fn start(&mut self, toy: &mut Toy) -> Result<(), Self::Error> {
        if self.length == 0 {
            return Err("nothing to send");
        }
        toy.announce(self.length as u64);
        Ok(())
    }

    fn ready(&mut self, toy: &mut Toy) -> Progress<Self, Toy> {
        while let Some(chunk) = self.chunks.front_mut() {
            let count = toy.write(chunk);
            let _ = chunk.split_to(count);
            if !chunk.is_empty() {
                return Progress::Continue;
            }
            self.chunks.pop_front();
        }
        if self.to_ask > 0 { Progress::Item(self.to_ask) } else { Progress::Continue }
    }

    fn handle(&mut self, _: &mut Toy, event: Event) -> Progress<Self, Toy> {
        match event {
            Event::Octets(octets) => {
                self.to_come -= octets.len();
                if self.to_come == 0 { Progress::Done(Ok(self.length)) } else { Progress::Continue }
            }
            Event::Closed(_) => Progress::Done(Err("the session closed")),
            other => Progress::NotMine(other),
        }
    }
}

/// Says a line and waits for what the server says to it.
#[derive(Debug)]
pub struct Say(pub &'static str);

impl Task<Toy> for Say {
    type Item = core::convert::Infallible;
    type Output = String;
    type Error = core::convert::Infallible;

    fn start(&mut self, toy: &mut Toy) -> Result<(), Self::Error> {
        toy.say(self.0);
        Ok(())
    }

    fn handle(&mut self, _: &mut Toy, event: Event) -> Progress<Self, Toy> {
        match event {
            Event::Line(line) if line.strip_prefix("+ ") == Some(self.0) => Progress::Done(Ok(line)),
            other => Progress::NotMine(other),
        }
    }
}
