//! [`StsCache`]: the policies of domains, and which fetches failed. It outlives a restart as text ([`StsCache::snapshot`]):
//! an empty cache is a time in which an attacker can hide policies (RFC 8461 §10.2).
//!
//! Nothing but a valid policy that was fetched, or the end of its life, takes a policy out.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write as _;
use core::time::Duration;

use super::policy::{Mode, MxPattern, StsPolicy, seconds};
use crate::config::Limits;
use crate::name::DomainName;
use crate::random::SplitMix64;
use crate::time::UnixMillis;

/// The first line of a snapshot.
const HEADER: &str = "mailwright-mta-sts 1";

/// A policy with what is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedPolicy {
    /// The policy.
    pub policy: StsPolicy,
    /// The id that the record had when it was fetched; empty if it was fetched without one.
    pub id: Arc<str>,
    /// When it was fetched.
    pub fetched: UnixMillis,
}

impl CachedPolicy {
    /// A policy that was fetched.
    #[must_use]
    pub const fn new(policy: StsPolicy, id: Arc<str>, fetched: UnixMillis) -> Self {
        Self { policy, id, fetched }
    }

    /// The end of its life.
    #[must_use]
    pub fn expires(&self) -> UnixMillis {
        self.fetched + self.policy.max_age
    }
}

/// A fetch that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedFetch {
    /// The id of the record.
    pub id: Arc<str>,
    /// Not to be tried again before.
    pub retry: UnixMillis,
}

impl FailedFetch {
    /// A fetch that failed.
    #[must_use]
    pub const fn new(id: Arc<str>, retry: UnixMillis) -> Self {
        Self { id, retry }
    }
}

/// What is known about a domain when a resolution begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StsKnown {
    /// Its policy, if its life is not over.
    pub policy: Option<Arc<CachedPolicy>>,
    /// The last fetch, if it failed lately.
    pub failed: Option<FailedFetch>,
}

/// What a resolution found out about the policy of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StsNews {
    /// A policy was fetched.
    Fetched(Arc<CachedPolicy>),
    /// A fetch failed; what was known before stays.
    Failed(FailedFetch),
}

#[derive(Clone, Debug, Default)]
struct Entry {
    policy: Option<Arc<CachedPolicy>>,
    failed: Option<FailedFetch>,
    /// When it is refreshed next.
    refresh: UnixMillis,
}

impl Entry {
    /// When nothing of it is of use any more.
    fn end(&self) -> UnixMillis {
        let policy = self.policy.as_ref().map(|policy| policy.expires());
        let failed = self.failed.as_ref().map(|failed| failed.retry);
        policy.max(failed).unwrap_or_default()
    }
}

/// The policies of domains, by domain.
///
/// ```
/// use mailwright_mx::sts::StsCache;
/// use mailwright_mx::{Limits, UnixMillis};
///
/// let mut cache = StsCache::new(&Limits::default());
/// cache.restore("mailwright-mta-sts 1\nexample.org 2026 1800000000000 enforce 86400 *.example.net\n")?;
/// let known = cache.known(&"example.org".parse()?, UnixMillis::from_seconds(1_800_000_001));
/// assert_eq!(known.policy.unwrap().id.as_ref(), "2026");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct StsCache {
    entries: BTreeMap<DomainName, Entry>,
    /// The same domains by the end of what is known.
    ends: BTreeSet<(UnixMillis, DomainName)>,
    /// Those with a policy by the time of their next refresh.
    refreshes: BTreeSet<(UnixMillis, DomainName)>,
    capacity: usize,
    refresh: Duration,
}

/// A text that is no snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("line {line} is not of a snapshot of policies")]
#[non_exhaustive]
pub struct SnapshotError {
    /// The number of the line, from 1.
    pub line: usize,
}

impl StsCache {
    /// An empty one.
    #[must_use]
    pub const fn new(limits: &Limits) -> Self {
        Self {
            entries: BTreeMap::new(),
            ends: BTreeSet::new(),
            refreshes: BTreeSet::new(),
            capacity: limits.policies,
            refresh: limits.policy_refresh,
        }
    }

    /// How many domains are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is known about `domain` at `now`.
    #[must_use]
    pub fn known(&self, domain: &DomainName, now: UnixMillis) -> StsKnown {
        let Some(entry) = self.entries.get(domain) else { return StsKnown::default() };
        StsKnown {
            policy: entry.policy.clone().filter(|policy| now < policy.expires()),
            failed: entry.failed.clone().filter(|failed| now < failed.retry),
        }
    }

    /// Takes in what a resolution or a refresh found out.
    pub fn learn(&mut self, domain: &DomainName, news: &StsNews) {
        let mut entry = self.remove(domain).unwrap_or_default();
        match news {
            StsNews::Fetched(policy) => {
                // RFC 8461 §3.3: policies are refreshed before they expire, about once a day.
                entry.refresh = policy.fetched + self.interval(domain, policy.policy.max_age);
                entry.policy = Some(Arc::clone(policy));
                entry.failed = None;
            }
            StsNews::Failed(failed) => {
                entry.refresh = entry.refresh.max(failed.retry);
                entry.failed = Some(failed.clone());
            }
        }
        self.insert(domain.clone(), entry);
    }

    /// A domain whose policy should be fetched again by now, if there is one: see
    /// [`Refresh`](crate::Refresh).
    #[must_use]
    pub fn due(&self, now: UnixMillis) -> Option<&DomainName> {
        self.refreshes.first().filter(|(when, _)| *when <= now).map(|(_, domain)| domain)
    }

    /// The policy of `domain` is not due before `when`.
    pub fn postpone(&mut self, domain: &DomainName, when: UnixMillis) {
        if let Some(mut entry) = self.remove(domain) {
            entry.refresh = entry.refresh.max(when);
            self.insert(domain.clone(), entry);
        }
    }

    /// All policies as text, for [`Self::restore`]: a line for each.
    #[must_use]
    pub fn snapshot(&self) -> String {
        let mut text = String::from(HEADER);
        text.push('\n');
        for (domain, entry) in &self.entries {
            let Some(cached) = &entry.policy else { continue };
            let id = if cached.id.is_empty() { "-" } else { &cached.id };
            let (fetched, mode) = (cached.fetched.as_millis(), cached.policy.mode.as_str());
            // Writing to a string does not fail.
            let _ = write!(text, "{domain} {id} {fetched} {mode} {}", cached.policy.max_age.as_secs());
            for pattern in &cached.policy.mx {
                let _ = write!(text, " {pattern}");
            }
            text.push('\n');
        }
        text
    }

    /// Takes in a snapshot. What is known and newer stays. Gives the number of policies.
    ///
    /// # Errors
    /// If a line is none of a snapshot; then nothing was taken in.
    pub fn restore(&mut self, snapshot: &str) -> Result<usize, SnapshotError> {
        let mut lines = snapshot.lines().enumerate();
        if lines.next().map(|(_, line)| line) != Some(HEADER) {
            return Err(SnapshotError { line: 1 });
        }
        let mut all = Vec::new();
        for (number, line) in lines {
            all.push(entry(line).ok_or(SnapshotError { line: number + 1 })?);
        }
        let count = all.len();
        for (domain, policy) in all {
            let known = self.entries.get(&domain).and_then(|entry| entry.policy.as_ref());
            if known.is_none_or(|known| known.fetched < policy.fetched) {
                self.learn(&domain, &StsNews::Fetched(Arc::new(policy)));
            }
        }
        Ok(count)
    }

    /// The time from a fetch to the next: within an eighth of the usual one, and never behind the end of the policy. Which
    /// depends on the domain, so that not all come at once.
    fn interval(&self, domain: &DomainName, max_age: Duration) -> Duration {
        let seed = domain.as_str().bytes().fold(0_u64, |seed, octet| seed.rotate_left(9) ^ u64::from(octet));
        let usual = self.refresh.min(max_age / 2);
        let jitter = u32::try_from(SplitMix64::new(seed).below(257)).unwrap_or_default();
        (usual / 8).saturating_mul(7).saturating_add((usual / 1024).saturating_mul(jitter))
    }

    fn insert(&mut self, domain: DomainName, entry: Entry) {
        if self.capacity == 0 {
            return;
        }
        while self.entries.len() >= self.capacity {
            let Some((_, oldest)) = self.ends.first().cloned() else { break };
            self.remove(&oldest);
        }
        self.ends.insert((entry.end(), domain.clone()));
        if entry.policy.is_some() {
            self.refreshes.insert((entry.refresh, domain.clone()));
        }
        self.entries.insert(domain, entry);
    }

    fn remove(&mut self, domain: &DomainName) -> Option<Entry> {
        let (domain, entry) = self.entries.remove_entry(domain)?;
        let mut key = (entry.end(), domain);
        self.ends.remove(&key);
        key.0 = entry.refresh;
        self.refreshes.remove(&key);
        Some(entry)
    }
}

/// A line of a snapshot.
fn entry(line: &str) -> Option<(DomainName, CachedPolicy)> {
    let mut words = line.split(' ');
    let domain = DomainName::from_ascii(words.next()?).ok()?;
    let id = words.next()?;
    if id.is_empty() || id.len() > 32 || id != "-" && !id.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
        return None;
    }
    let id = if id == "-" { "" } else { id };
    let fetched = UnixMillis::from_millis(words.next()?.parse().ok()?);
    let mode = Mode::of(words.next()?)?;
    let max_age = seconds(words.next()?)?;
    let mx = words.map(MxPattern::parse).collect::<Option<Vec<_>>>()?;
    if mx.is_empty() && mode != Mode::None {
        return None;
    }
    Some((domain, CachedPolicy::new(StsPolicy::new(mode, mx, max_age), Arc::from(id), fetched)))
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    const NOW: UnixMillis = UnixMillis::from_seconds(1_800_000_000);

    fn name(text: &str) -> DomainName {
        text.parse().unwrap()
    }

    fn policy(max_age: u64, fetched: UnixMillis) -> StsNews {
        let mx = Vec::from([MxPattern::parse("*.example.net").unwrap()]);
        let policy = StsPolicy::new(Mode::Enforce, mx, Duration::from_secs(max_age));
        StsNews::Fetched(Arc::new(CachedPolicy::new(policy, "a1".into(), fetched)))
    }

    fn cache(policies: usize) -> StsCache {
        let mut limits = Limits::default();
        limits.policies = policies;
        StsCache::new(&limits)
    }

    #[test]
    fn a_failure_never_takes_a_policy_out() {
        let mut cache = cache(10);
        cache.learn(&name("example.org"), &policy(1000, NOW));
        let failed = FailedFetch::new("b2".into(), NOW + Duration::from_secs(300));
        cache.learn(&name("example.org"), &StsNews::Failed(failed.clone()));
        let known = cache.known(&name("example.org"), NOW + Duration::from_secs(299));
        assert_eq!((known.policy.is_some(), known.failed), (true, Some(failed)));
        let known = cache.known(&name("example.org"), NOW + Duration::from_secs(999));
        assert_eq!((known.policy.is_some(), known.failed), (true, None));
        assert_eq!(cache.known(&name("example.org"), NOW + Duration::from_secs(1000)), StsKnown::default());
    }

    #[test]
    fn a_snapshot_brings_everything_back() {
        let mut first = cache(10);
        first.learn(&name("example.org"), &policy(1000, NOW));
        first.learn(&name("example.com"), &policy(50, NOW));
        first.learn(&name("failed.example"), &StsNews::Failed(FailedFetch::new("x".into(), NOW)));
        let snapshot = first.snapshot();
        let mut second = cache(10);
        assert_eq!(second.restore(&snapshot), Ok(2));
        assert_eq!(second.snapshot(), snapshot);
        let domain = name("example.org");
        assert_eq!(second.known(&domain, NOW).policy, first.known(&domain, NOW).policy);
    }

    #[test]
    fn a_snapshot_does_not_bring_back_what_was_replaced() {
        let mut cache = cache(10);
        cache.learn(&name("example.org"), &policy(1000, NOW));
        let old = cache.snapshot();
        cache.learn(&name("example.org"), &policy(2000, NOW + Duration::from_secs(1)));
        cache.restore(&old).unwrap();
        let known = cache.known(&name("example.org"), NOW).policy.unwrap();
        assert_eq!(known.policy.max_age.as_secs(), 2000);
    }

    #[test]
    fn what_is_no_snapshot_changes_nothing() {
        let good = "example.org a1 1 enforce 5 *.example.net";
        for line in [
            "",
            "example.org",
            "example.org a1 1 enforce 5",
            "example.org a1 x enforce 5 *.example.net",
            "example.org a1 1 never 5 *.example.net",
            "example.org a1 1 enforce 5 *",
            "example.org a_1 1 enforce 5 *.example.net",
            "exa mple.org a1 1 enforce 5 *.example.net",
        ] {
            let mut cache = cache(10);
            let text = format!("{HEADER}\n{good}\n{line}\n");
            assert_eq!(cache.restore(&text), Err(SnapshotError { line: 3 }), "{line}");
            assert!(cache.is_empty());
        }
        assert_eq!(cache(10).restore(""), Err(SnapshotError { line: 1 }));
    }

    #[test]
    fn it_is_bounded_and_forgets_first_what_ends_first() {
        let mut cache = cache(2);
        for (domain, age) in [("a.example", 100), ("b.example", 50), ("c.example", 75)] {
            cache.learn(&name(domain), &policy(age, NOW));
        }
        assert_eq!(cache.len(), 2);
        let known = |domain: &str| cache.known(&name(domain), NOW).policy.is_some();
        assert_eq!([known("a.example"), known("b.example"), known("c.example")], [true, false, true]);
    }

    #[test]
    fn policies_are_due_about_once_a_day_and_before_they_end() {
        let day = Duration::from_secs(86_400);
        for (age, shortest, longest) in
            [(31_557_600, day * 7 / 8, day * 9 / 8), (86_400, day * 7 / 16, day * 9 / 16)]
        {
            for number in 0..50 {
                let mut cache = cache(10);
                let domain = name(&format!("d{number}.example"));
                cache.learn(&domain, &policy(age, NOW));
                assert_eq!(cache.due(NOW + shortest.saturating_sub(Duration::from_secs(1))), None);
                assert_eq!(cache.due(NOW + longest), Some(&domain));
            }
        }
    }

    #[test]
    fn a_policy_of_a_host_that_lives_for_ever_is_kept() {
        let mut limits = Limits::default();
        limits.policy_refresh = Duration::MAX;
        let mut cache = StsCache::new(&limits);
        let policy = StsPolicy::new(Mode::None, Vec::new(), Duration::MAX);
        let cached = Arc::new(CachedPolicy::new(policy, "a".into(), NOW));
        cache.learn(&name("example.org"), &StsNews::Fetched(cached));
        assert!(cache.known(&name("example.org"), NOW).policy.is_some());
    }

    #[test]
    fn a_refresh_that_failed_is_not_due_at_once() {
        let mut cache = cache(10);
        let domain = name("example.org");
        cache.learn(&domain, &policy(31_557_600, NOW));
        let later = NOW + Duration::from_secs(200_000);
        assert_eq!(cache.due(later), Some(&domain));
        let retry = later + Duration::from_secs(300);
        cache.learn(&domain, &StsNews::Failed(FailedFetch::new("a1".into(), retry)));
        assert_eq!(cache.due(later), None);
        assert_eq!(cache.due(retry), Some(&domain));
    }
}
