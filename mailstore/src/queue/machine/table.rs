//! [`Table`]: values under small numbers that are used again.

use alloc::vec::Vec;

/// Values under the numbers that [`Self::insert`] gave them.
#[derive(Debug)]
pub(super) struct Table<T> {
    values: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Table<T> {
    pub(super) const fn new() -> Self {
        Self { values: Vec::new(), free: Vec::new() }
    }

    pub(super) fn insert(&mut self, value: T) -> u32 {
        if let Some(index) = self.free.pop()
            && let Some(place) = position(index).and_then(|index| self.values.get_mut(index))
        {
            *place = Some(value);
            return index;
        }
        // More than 2^32 values do not fit into memory.
        let index = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(Some(value));
        index
    }

    pub(super) fn get(&self, index: u32) -> Option<&T> {
        self.values.get(position(index)?)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.values.get_mut(position(index)?)?.as_mut()
    }

    pub(super) fn remove(&mut self, index: u32) -> Option<T> {
        let value = self.values.get_mut(position(index)?)?.take()?;
        self.free.push(index);
        Some(value)
    }
}

fn position(index: u32) -> Option<usize> {
    usize::try_from(index).ok()
}
