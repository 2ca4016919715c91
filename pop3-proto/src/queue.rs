//! [`Queue`]: events that wait for the host. The first one needs no memory of its own, so a session
//! that tells one thing at a time never allocates for it.

use alloc::collections::VecDeque;

#[derive(Debug)]
pub(crate) struct Queue<E> {
    /// Older than the rest, if it is there.
    first: Option<E>,
    rest: VecDeque<E>,
}

impl<E> Queue<E> {
    pub(crate) const fn new() -> Self {
        Self { first: None, rest: VecDeque::new() }
    }

    #[inline]
    pub(crate) fn push(&mut self, event: E) {
        if self.len() == 0 {
            self.first = Some(event);
        } else {
            self.rest.push_back(event);
        }
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<E> {
        if self.first.is_some() {
            return self.first.take();
        }
        let event = self.rest.pop_front();
        if self.rest.is_empty() && self.rest.capacity() > 0 {
            // An idle session holds no memory.
            self.rest = VecDeque::new();
        }
        event
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_between_stays_behind_what_waits() {
        let mut queue = Queue::new();
        queue.push(1);
        queue.push(2);
        assert_eq!(queue.pop(), Some(1));
        queue.push(3);
        assert_eq!((queue.pop(), queue.pop(), queue.pop()), (Some(2), Some(3), None));
    }

    #[test]
    fn events_leave_in_order_and_leave_no_memory() {
        let mut queue = Queue::new();
        for event in 0..5 {
            queue.push(event);
        }
        assert_eq!(queue.len(), 5);
        assert_eq!(core::iter::from_fn(|| queue.pop()).collect::<alloc::vec::Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(queue.rest.capacity(), 0);
    }
}
