//! [`Simulated`]: a storage in memory that loses power, fails, and fills up, on purpose.
//!
//! What is written is seen at once, but durable only after a sync. At a cut, any subset of the unsynced
//! sectors survives, lengths roll back or not, what was never written reads as zeros, and each name that
//! was made, moved or removed since its directory was synced is there or not. After a failed sync the cache
//! goes on showing what may not be durable, and later syncs do not make it so.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::io;
use std::sync::Mutex;

use super::lock;
use super::storage::{File, Lock, Storage};

const SECTOR: usize = 512;

/// What fails next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The sync of a file or directory after so many others.
    Sync(u64),
    /// The write after so many others: a part is written.
    Write(u64),
    /// Every write that needs more than so many octets of new space.
    Space(u64),
}

/// A storage in memory. `Clone` gives another handle on the same one.
#[derive(Clone, Debug)]
pub struct Simulated {
    world: Arc<Mutex<World>>,
}

#[derive(Debug, Default)]
struct World {
    random: Random,
    files: BTreeMap<u64, Inode>,
    names: BTreeMap<String, Entry>,
    durable_names: BTreeMap<String, Entry>,
    next_file: u64,
    locks: BTreeSet<String>,
    fault: Option<Fault>,
    syncs: u64,
    steps: u64,
    every: u64,
    images: Vec<Simulated>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Directory,
    File(u64),
}

/// A file as the cache shows it, as it is durable, and what came in between.
#[derive(Clone, Debug, Default)]
struct Inode {
    content: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Clone, Debug)]
enum Pending {
    Write(u64, Vec<u8>),
    Length(u64),
}

/// SplitMix64.
#[derive(Clone, Debug, Default)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// True so many times of 256.
    fn chance(&mut self, of_256: u64) -> bool {
        self.next() % 256 < of_256
    }
}

fn position(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

fn put(content: &mut Vec<u8>, at: usize, octets: &[u8]) {
    let end = at.saturating_add(octets.len());
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(at..end) {
        place.copy_from_slice(octets);
    }
}

impl Inode {
    /// What is durable once the power is gone.
    fn after_cut(&self, random: &mut Random) -> Vec<u8> {
        let mut content = self.durable.clone();
        // All, none, or some of what was not synced.
        let chance = match random.next() % 4 {
            0 => 0,
            1 => 256,
            _ => random.next() % 257,
        };
        for pending in &self.pending {
            match pending {
                Pending::Length(length) if random.chance(chance) => content.resize(position(*length), 0),
                Pending::Length(_) => {}
                Pending::Write(at, octets) => {
                    let mut at = position(*at);
                    let mut rest = octets.as_slice();
                    while !rest.is_empty() {
                        let (sector, behind) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
                        if random.chance(chance) {
                            put(&mut content, at, sector);
                        }
                        at += sector.len();
                        rest = behind;
                    }
                }
            }
        }
        content
    }

    fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }
}

impl World {
    /// Before every step: takes the picture of a cut here, if it is its turn.
    fn step(&mut self) {
        self.steps += 1;
        if self.every > 0 && self.steps % self.every == 0 {
            let image = self.cut();
            self.images.push(image);
        }
    }

    fn cut(&mut self) -> Simulated {
        let mut random = Random(self.random.next());
        let mut names = self.durable_names.clone();
        let changed: BTreeSet<&String> = self.names.keys().chain(self.durable_names.keys()).collect();
        for name in changed {
            let (now, before) = (self.names.get(name), self.durable_names.get(name));
            if now != before && random.chance(128) {
                match now {
                    Some(entry) => drop(names.insert(name.clone(), *entry)),
                    None => drop(names.remove(name)),
                }
            }
        }
        let has_parent = |name: &String| {
            let mut parents = name.match_indices('/').filter_map(|(at, _)| name.get(..at));
            parents.all(|parent| names.contains_key(parent))
        };
        let kept: BTreeMap<String, Entry> = names
            .iter()
            .filter(|(name, _)| has_parent(name))
            .map(|(name, entry)| (name.clone(), *entry))
            .collect();
        let mut files = BTreeMap::new();
        for entry in kept.values() {
            let Entry::File(number) = entry else { continue };
            let Some(inode) = self.files.get(number) else { continue };
            let durable =
                if inode.is_settled() { inode.durable.clone() } else { inode.after_cut(&mut random) };
            files.insert(*number, Inode { content: durable.clone(), durable, pending: Vec::new() });
        }
        let world = World {
            random,
            files,
            durable_names: kept.clone(),
            names: kept,
            next_file: self.next_file,
            ..World::default()
        };
        Simulated { world: Arc::new(Mutex::new(world)) }
    }

    fn add(&mut self, name: &str, entry: Entry) -> io::Result<()> {
        if let Some((parent, _)) = name.rsplit_once('/') {
            if self.names.get(parent) != Some(&Entry::Directory) {
                return Err(io::ErrorKind::NotFound.into());
            }
        }
        self.names.insert(name.to_owned(), entry);
        Ok(())
    }

    fn file(&self, name: &str) -> io::Result<u64> {
        match self.names.get(name) {
            Some(Entry::File(number)) => Ok(*number),
            Some(Entry::Directory) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn sync_fails(&mut self) -> bool {
        self.syncs += 1;
        match &mut self.fault {
            Some(Fault::Sync(0)) => {
                self.fault = None;
                true
            }
            Some(Fault::Sync(left)) => {
                *left -= 1;
                false
            }
            _ => false,
        }
    }

    /// How many of `octets` can be written, growing a file by `growth`, and why not all.
    fn writable(&mut self, octets: usize, growth: u64) -> (usize, Option<io::ErrorKind>) {
        match &mut self.fault {
            Some(Fault::Write(0)) => {
                self.fault = None;
                (octets / 2, Some(io::ErrorKind::Other))
            }
            Some(Fault::Write(left)) => {
                *left -= 1;
                (octets, None)
            }
            Some(Fault::Space(left)) if growth > *left => {
                let missing = position(growth - *left);
                (octets.saturating_sub(missing), Some(io::ErrorKind::StorageFull))
            }
            Some(Fault::Space(left)) => {
                *left -= growth;
                (octets, None)
            }
            Some(Fault::Sync(_)) | None => (octets, None),
        }
    }
}

/// What lies directly in `directory`.
fn is_in(name: &str, directory: &str) -> bool {
    match name.rsplit_once('/') {
        Some((parent, _)) => parent == directory,
        None => directory.is_empty(),
    }
}

impl Simulated {
    /// An empty storage. All that happens by chance comes from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let world = World { random: Random(seed), ..World::default() };
        Self { world: Arc::new(Mutex::new(world)) }
    }

    /// Takes, from now on, at every so many steps the picture that a power cut there would leave; 0 = none.
    pub fn cut_every(&self, steps: u64) {
        lock(&self.world).every = steps;
    }

    /// The pictures taken since the last call.
    #[must_use]
    pub fn take_cuts(&self) -> Vec<Self> {
        core::mem::take(&mut lock(&self.world).images)
    }

    /// What a power cut now would leave.
    #[must_use]
    pub fn cut(&self) -> Self {
        lock(&self.world).cut()
    }

    /// What fails next; in place of what was set before.
    pub fn set_fault(&self, fault: Option<Fault>) {
        lock(&self.world).fault = fault;
    }

    /// Whether a fault is still to come.
    #[must_use]
    pub fn has_fault(&self) -> bool {
        lock(&self.world).fault.is_some()
    }

    /// Syncs of files and directories so far.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        lock(&self.world).syncs
    }

    /// Inverts the bits of one octet of a file, durably. `false` if there is none.
    #[must_use]
    pub fn damage(&self, name: &str, at: u64) -> bool {
        let mut world = lock(&self.world);
        let Ok(number) = world.file(name) else { return false };
        let Some(inode) = world.files.get_mut(&number) else { return false };
        let Some(octet) = inode.content.get_mut(position(at)) else { return false };
        *octet = !*octet;
        inode.durable = inode.content.clone();
        true
    }

    fn handle(&self, number: u64) -> Arc<dyn File> {
        Arc::new(SimulatedFile { world: Arc::clone(&self.world), number })
    }
}

impl Storage for Simulated {
    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let mut world = lock(&self.world);
        world.step();
        if world.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = world.next_file;
        world.next_file += 1;
        world.add(name, Entry::File(number))?;
        world.files.insert(number, Inode::default());
        Ok(self.handle(number))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let number = lock(&self.world).file(name)?;
        Ok(self.handle(number))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut world = lock(&self.world);
        world.step();
        let number = world.file(from)?;
        world.add(to, Entry::File(number))?;
        world.names.remove(from);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut world = lock(&self.world);
        world.step();
        world.file(name)?;
        world.names.remove(name);
        Ok(())
    }

    fn create_directory(&self, name: &str) -> io::Result<()> {
        let mut world = lock(&self.world);
        world.step();
        match world.names.get(name) {
            Some(Entry::Directory) => Ok(()),
            Some(Entry::File(_)) => Err(io::ErrorKind::AlreadyExists.into()),
            None => world.add(name, Entry::Directory),
        }
    }

    fn sync_directory(&self, name: &str) -> io::Result<()> {
        let mut world = lock(&self.world);
        world.step();
        if world.sync_fails() {
            return Err(io::ErrorKind::Other.into());
        }
        let world = &mut *world;
        world.durable_names.retain(|entry, _| !is_in(entry, name));
        let now = world.names.iter().filter(|(entry, _)| is_in(entry, name));
        world.durable_names.extend(now.map(|(entry, value)| (entry.clone(), *value)));
        Ok(())
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let world = lock(&self.world);
        if !directory.is_empty() && world.names.get(directory) != Some(&Entry::Directory) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let names = world.names.keys().filter(|name| is_in(name, directory));
        Ok(names.map(|name| name.rsplit_once('/').map_or(&**name, |(_, last)| last).to_owned()).collect())
    }

    fn lock(&self, name: &str) -> io::Result<Option<Box<dyn Lock>>> {
        if !lock(&self.world).locks.insert(name.to_owned()) {
            return Ok(None);
        }
        Ok(Some(Box::new(SimulatedLock { world: Arc::clone(&self.world), name: name.to_owned() })))
    }
}

#[derive(Debug)]
struct SimulatedLock {
    world: Arc<Mutex<World>>,
    name: String,
}

impl Lock for SimulatedLock {}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        lock(&self.world).locks.remove(&self.name);
    }
}

#[derive(Debug)]
struct SimulatedFile {
    world: Arc<Mutex<World>>,
    number: u64,
}

fn no_file() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl File for SimulatedFile {
    fn length(&self) -> io::Result<u64> {
        let world = lock(&self.world);
        Ok(world.files.get(&self.number).ok_or_else(no_file)?.content.len() as u64)
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        let world = lock(&self.world);
        let content = &world.files.get(&self.number).ok_or_else(no_file)?.content;
        let rest = content.get(position(at)..).unwrap_or_default();
        let length = rest.len().min(into.len());
        if let (Some(to), Some(from)) = (into.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        Ok(length)
    }

    fn write_at(&self, octets: &[u8], at: u64) -> io::Result<()> {
        let mut world = lock(&self.world);
        world.step();
        let held = world.files.get(&self.number).ok_or_else(no_file)?.content.len() as u64;
        let growth = at.saturating_add(octets.len() as u64).saturating_sub(held);
        let (count, error) = world.writable(octets.len(), growth);
        let written = octets.get(..count).unwrap_or_default();
        let inode = world.files.get_mut(&self.number).ok_or_else(no_file)?;
        if !written.is_empty() {
            put(&mut inode.content, position(at), written);
            inode.pending.push(Pending::Write(at, written.to_vec()));
        }
        error.map_or(Ok(()), |kind| Err(kind.into()))
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let mut world = lock(&self.world);
        world.step();
        let inode = world.files.get_mut(&self.number).ok_or_else(no_file)?;
        inode.content.resize(position(length), 0);
        inode.pending.push(Pending::Length(length));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut world = lock(&self.world);
        world.step();
        let fails = world.sync_fails();
        let mut random = Random(world.random.next());
        let inode = world.files.get_mut(&self.number).ok_or_else(no_file)?;
        if fails {
            // The cache forgets that it was not written.
            inode.durable = inode.after_cut(&mut random);
            inode.pending.clear();
            return Err(io::ErrorKind::Other.into());
        }
        // Applied, not copied: after a failed sync the cache may show more than is durable.
        for pending in core::mem::take(&mut inode.pending) {
            match pending {
                Pending::Write(at, octets) => put(&mut inode.durable, position(at), &octets),
                Pending::Length(length) => inode.durable.resize(position(length), 0),
            }
        }
        Ok(())
    }
}
