//! [`Queue`]: a queue whose first elements need no memory of their own, so that a session that does one
//! thing at a time never allocates for it, and an idle one holds nothing.

use alloc::collections::VecDeque;

#[derive(Debug)]
pub(super) struct Queue<T, const N: usize> {
    /// Filled from the front; full while `rest` has anything.
    front: [Option<T>; N],
    rest: VecDeque<T>,
}

impl<T, const N: usize> Queue<T, N> {
    /// Capacity that an empty queue keeps beside its own elements.
    const RETAINED: usize = 4;

    pub(super) fn new() -> Self {
        Self { front: core::array::from_fn(|_| None), rest: VecDeque::new() }
    }

    pub(super) fn push(&mut self, element: T) {
        match self.front.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) if self.rest.is_empty() => *slot = Some(element),
            _ => self.rest.push_back(element),
        }
    }

    pub(super) fn front(&self) -> Option<&T> {
        self.front.first()?.as_ref()
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let element = self.front.first_mut()?.take()?;
        self.front.rotate_left(1);
        if let Some(last) = self.front.last_mut() {
            *last = self.rest.pop_front();
        }
        if self.rest.is_empty() && self.rest.capacity() > Self::RETAINED {
            self.rest = VecDeque::new();
        }
        Some(element)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.front().is_none()
    }

    pub(super) fn len(&self) -> usize {
        self.front.iter().filter(|slot| slot.is_some()).count() + self.rest.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.front.iter().flatten().chain(self.rest.iter())
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.front.iter_mut().flatten().chain(self.rest.iter_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_leave_in_order_whatever_the_order_of_calls() {
        let mut queue = Queue::<u32, 2>::new();
        let (mut next, mut expected) = (0, 0);
        for round in 0..50 {
            for _ in 0..round % 7 {
                queue.push(next);
                next += 1;
            }
            for _ in 0..round % 5 {
                if let Some(element) = queue.pop() {
                    assert_eq!(element, expected);
                    expected += 1;
                }
            }
            assert_eq!(queue.len(), (next - expected) as usize);
            let first = queue.iter_mut().map(|element| *element).next();
            assert_eq!(first, queue.front().copied());
        }
        while let Some(element) = queue.pop() {
            assert_eq!(element, expected);
            expected += 1;
        }
        assert_eq!(next, expected);
        assert!(queue.is_empty());
    }

    #[test]
    fn an_empty_queue_gives_memory_back() {
        let mut queue = Queue::<u32, 1>::new();
        (0..1000).for_each(|element| queue.push(element));
        while queue.pop().is_some() {}
        assert!(queue.rest.capacity() <= 4);
    }
}
