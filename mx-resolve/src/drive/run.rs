//! Runs a machine over a driver to its end: all its requests at once.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};

use super::Driver;
use crate::dns::Answer;
use crate::fetch::{FetchFailure, FetchRequest, Response};
use crate::machine::{AnswerError, Discovery, DnsRequest, QueryId, Refresh, Request, Resolution};
use crate::time::UnixMillis;

/// What machines have in common: requests go out, what came of them and time go in.
pub(crate) trait Machine {
    fn poll_request(&mut self) -> Option<Request>;
    fn poll_timeout(&self) -> Option<UnixMillis>;
    fn handle_answer(&mut self, id: QueryId, answer: Answer, now: UnixMillis) -> Result<(), AnswerError>;
    fn handle_response(
        &mut self,
        id: QueryId,
        result: Result<Response, FetchFailure>,
        now: UnixMillis,
    ) -> Result<(), AnswerError>;
    fn handle_timeout(&mut self, now: UnixMillis);
}

macro_rules! machine {
    ($($name:ident)*) => {$(
        impl Machine for $name {
            fn poll_request(&mut self) -> Option<Request> {
                $name::poll_request(self)
            }

            fn poll_timeout(&self) -> Option<UnixMillis> {
                $name::poll_timeout(self)
            }

            fn handle_answer(&mut self, id: QueryId, answer: Answer, now: UnixMillis) -> Result<(), AnswerError> {
                $name::handle_answer(self, id, answer, now)
            }

            fn handle_response(
                &mut self,
                id: QueryId,
                result: Result<Response, FetchFailure>,
                now: UnixMillis,
            ) -> Result<(), AnswerError> {
                $name::handle_response(self, id, result, now)
            }

            fn handle_timeout(&mut self, now: UnixMillis) {
                $name::handle_timeout(self, now);
            }
        }
    )*};
}

machine!(Discovery Refresh Resolution);

/// A request under way.
type Asking<'a> = Pin<Box<dyn Future<Output = (QueryId, Came)> + Send + 'a>>;

/// What came of a request.
enum Came {
    Answer(Answer),
    Response(Result<Response, FetchFailure>),
}

fn asking<D: Driver>(driver: &D, request: Request, now: UnixMillis) -> Asking<'_> {
    match request {
        Request::Dns(DnsRequest { id, question, deadline }) => Box::pin(async move {
            let left = deadline.saturating_duration_since(now);
            (id, Came::Answer(driver.ask(&question, left).await))
        }),
        Request::Fetch(FetchRequest { id, page, limit, deadline }) => Box::pin(async move {
            let left = deadline.saturating_duration_since(now);
            (id, Came::Response(driver.fetch(&page, limit, left).await))
        }),
    }
}

/// Runs a machine that begins at `now` until `end` has something.
pub(crate) async fn run<D: Driver, M: Machine, T>(
    driver: &D,
    machine: &mut M,
    now: UnixMillis,
    mut end: impl FnMut(&mut M) -> Option<T>,
) -> T {
    let start = driver.elapsed();
    let time = || now + driver.elapsed().saturating_sub(start);
    let mut open: Vec<Asking<'_>> = Vec::new();
    loop {
        let requests = core::iter::from_fn(|| machine.poll_request());
        open.extend(requests.map(|request| asking(driver, request, time())));
        if let Some(end) = end(machine) {
            return end;
        }
        if open.is_empty() {
            // No request is open, so only time can be missing.
            machine.handle_timeout(machine.poll_timeout().unwrap_or(time()));
            continue;
        }
        // Its time may have passed by now, or nobody needs it any more.
        let _ = match poll_fn(|context| first(&mut open, context)).await {
            (id, Came::Answer(answer)) => machine.handle_answer(id, answer, time()),
            (id, Came::Response(result)) => machine.handle_response(id, result, time()),
        };
        machine.handle_timeout(time());
    }
}

/// The first that is there.
fn first(open: &mut Vec<Asking<'_>>, context: &mut Context<'_>) -> Poll<(QueryId, Came)> {
    for at in 0..open.len() {
        let Some(future) = open.get_mut(at) else { break };
        if let Poll::Ready(came) = future.as_mut().poll(context) {
            drop(open.swap_remove(at));
            return Poll::Ready(came);
        }
    }
    Poll::Pending
}
