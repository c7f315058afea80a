//! The rate budget towards a venue. Invariant: in no half-open window of a rule's length more than its limit is
//! admitted, however requests are spread; a refused request costs nothing.

use std::collections::VecDeque;

use strongroom_model::Advice;

/// Share of every limit that only cancels may use, percent.
pub const CANCEL_RESERVE_PERCENT: u32 = 10;
/// A window is counted in at most so many steps: exact to the millisecond up to one minute, rounded up beyond.
const STEPS_MAX: u64 = 60_000;
/// No venue bans for longer; one that says so is not believed. Milliseconds.
const BACK_OFF_MS_MAX: u64 = 3 * 24 * 60 * 60 * 1_000;
/// [`Wait::retry_after_ms`] of a request that fits into no window.
pub const NEVER_MS: u64 = u64::MAX;

/// What a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Weights of requests.
    Weight,
    /// Orders placed.
    Orders,
    /// Requests.
    Raw,
}

/// At most `limit` in any window of `window_ms`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateRule {
    /// Shown to people, such as `weight per minute`.
    pub name: String,
    /// What is counted.
    pub kind: Kind,
    /// Length of the window, milliseconds; at least 1.
    pub window_ms: u64,
    /// Allowed per window.
    pub limit: u32,
}

/// Whose budget a request may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Takes risk away: may use the whole limit.
    Cancel,
    /// Everything else: leaves the reserve alone.
    Normal,
}

/// A request that has to wait. Nothing was counted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the budget {rule:?} is used up; the next request fits in {retry_after_ms} ms")]
pub struct Wait {
    /// Until it fits, if nothing else is sent; [`NEVER_MS`] when it is larger than the limit.
    pub retry_after_ms: u64,
    /// The rule that is fullest.
    pub rule: String,
}

impl Wait {
    /// Later, or never.
    pub const fn advice(&self) -> Advice {
        match self.retry_after_ms {
            NEVER_MS => Advice::Refuse,
            ms => Advice::RetryAfter(ms),
        }
    }
}

/// How a venue pushed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushBack {
    /// HTTP 429: slow down. Normal requests wait; cancels still go, because an order that stays costs more than a
    /// refused cancel.
    TooMany,
    /// HTTP 418: the address is banned. Nothing would get through and every attempt prolongs the ban: cancels wait too.
    Banned,
}

/// How full a rule is, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// The rule's.
    pub name: String,
    /// Counted in the window that ends now.
    pub used: u32,
    /// The rule's.
    pub limit: u32,
    /// Until the oldest counted request leaves the window; 0 when nothing is counted.
    pub reset_ms: u64,
    /// Kept for cancels.
    pub reserved: u32,
    /// Length of the window.
    pub window_ms: u64,
    /// Whether the venue told a count of its own in this window.
    pub counted_by_venue: bool,
}

/// The budget of one (venue, address) or (venue, account).
#[derive(Clone, Debug)]
pub struct Governor {
    windows: Vec<Window>,
    now_ms: u64,
    too_many_until_ms: u64,
    banned_until_ms: u64,
}

impl Governor {
    /// An unused budget.
    pub fn new(rules: Vec<RateRule>) -> Self {
        Self { windows: rules.into_iter().map(Window::new).collect(), now_ms: 0, too_many_until_ms: 0, banned_until_ms: 0 }
    }

    /// Takes new rules and keeps what was counted under the same kind and window.
    pub fn set_rules(&mut self, rules: Vec<RateRule>) {
        let old = std::mem::take(&mut self.windows);
        self.windows = rules.into_iter().map(Window::new).collect();
        for window in &mut self.windows {
            let same = |known: &&Window| known.rule.kind == window.rule.kind && known.rule.window_ms == window.rule.window_ms;
            if let Some(known) = old.iter().find(same) {
                window.counted = known.counted.clone();
                window.used = known.used;
            }
        }
    }

    /// May a request of these costs go now? It is counted when the answer is yes.
    ///
    /// `now_ms` is monotonic; an earlier moment than the latest one seen counts as the latest.
    pub fn ask(&mut self, now_ms: u64, costs: &[(Kind, u32)], priority: Priority) -> Result<(), Wait> {
        let now_ms = self.advance(now_ms);
        self.pushed_back(now_ms, priority)?;
        let cost_of = |kind: Kind| costs.iter().filter(|(known, _)| *known == kind).fold(0_u32, |sum, (_, cost)| sum.saturating_add(*cost));
        let waits = self.windows.iter().filter_map(|window| window.wait(now_ms, cost_of(window.rule.kind), priority));
        if let Some(longest) = waits.max_by_key(|wait| wait.retry_after_ms) {
            return Err(longest);
        }
        for window in &mut self.windows {
            let cost = cost_of(window.rule.kind);
            window.count(now_ms, cost);
        }
        Ok(())
    }

    /// Takes the venue's own count from an answer's headers. It can only raise ours: others may share the address.
    pub fn observe(&mut self, now_ms: u64, kind: Kind, window_ms: u64, used: u32) {
        let now_ms = self.advance(now_ms);
        for window in self.windows.iter_mut().filter(|window| window.rule.kind == kind && window.rule.window_ms == window_ms) {
            window.count(now_ms, used.saturating_sub(window.used));
            window.observed_ms = Some(now_ms);
        }
    }

    /// Takes a push-back that holds until `until_ms`.
    pub fn back_off(&mut self, now_ms: u64, until_ms: u64, push_back: PushBack) {
        let until_ms = until_ms.min(self.advance(now_ms).saturating_add(BACK_OFF_MS_MAX));
        let held = match push_back {
            PushBack::TooMany => &mut self.too_many_until_ms,
            PushBack::Banned => &mut self.banned_until_ms,
        };
        *held = until_ms.max(*held);
    }

    /// How full every rule is.
    pub fn gauges(&mut self, now_ms: u64) -> Vec<Gauge> {
        let now_ms = self.advance(now_ms);
        self.windows.iter().map(|window| window.gauge(now_ms)).collect()
    }

    fn advance(&mut self, now_ms: u64) -> u64 {
        self.now_ms = self.now_ms.max(now_ms);
        for window in &mut self.windows {
            window.forget(self.now_ms);
        }
        self.now_ms
    }

    fn pushed_back(&self, now_ms: u64, priority: Priority) -> Result<(), Wait> {
        let (until_ms, rule) = match priority {
            Priority::Normal if self.too_many_until_ms > self.banned_until_ms => (self.too_many_until_ms, "slow down, says the venue"),
            Priority::Normal | Priority::Cancel => (self.banned_until_ms, "banned by the venue"),
        };
        match until_ms.saturating_sub(now_ms) {
            0 => Ok(()),
            retry_after_ms => Err(Wait { retry_after_ms, rule: rule.to_owned() }),
        }
    }
}

/// What is counted under one rule.
#[derive(Clone, Debug)]
struct Window {
    rule: RateRule,
    /// (when it leaves, how much), the oldest first; at most [`STEPS_MAX`] + 1 entries.
    counted: VecDeque<(u64, u32)>,
    used: u32,
    observed_ms: Option<u64>,
}

impl Window {
    fn new(rule: RateRule) -> Self {
        let rule = RateRule { window_ms: rule.window_ms.max(1), ..rule };
        Self { rule, counted: VecDeque::new(), used: 0, observed_ms: None }
    }

    fn forget(&mut self, now_ms: u64) {
        while let Some((_, cost)) = self.counted.front().copied().filter(|(leaves_ms, _)| *leaves_ms <= now_ms) {
            self.counted.pop_front();
            self.used = self.used.saturating_sub(cost);
        }
    }

    /// A request leaves one window after the end of the step in which it was counted: late, never early.
    fn count(&mut self, now_ms: u64, cost: u32) {
        if cost == 0 {
            return;
        }
        let step_ms = self.rule.window_ms.div_ceil(STEPS_MAX);
        let leaves_ms = now_ms.div_ceil(step_ms).saturating_mul(step_ms).saturating_add(self.rule.window_ms);
        self.used = self.used.saturating_add(cost);
        match self.counted.back_mut() {
            Some((last_ms, sum)) if *last_ms == leaves_ms => *sum = sum.saturating_add(cost),
            _ => self.counted.push_back((leaves_ms, cost)),
        }
    }

    fn wait(&self, now_ms: u64, cost: u32, priority: Priority) -> Option<Wait> {
        let budget = match priority {
            Priority::Cancel => self.rule.limit,
            Priority::Normal => self.rule.limit - reserve(self.rule.limit),
        };
        let too_much = self.used.saturating_add(cost).saturating_sub(budget);
        if cost == 0 || too_much == 0 {
            return None;
        }
        let mut left = 0_u32;
        let fits_ms = self.counted.iter().find_map(|(leaves_ms, counted)| {
            left = left.saturating_add(*counted);
            (left >= too_much).then_some(leaves_ms.saturating_sub(now_ms))
        });
        Some(Wait { retry_after_ms: fits_ms.unwrap_or(NEVER_MS), rule: self.rule.name.clone() })
    }

    fn gauge(&self, now_ms: u64) -> Gauge {
        let reset_ms = self.counted.front().map_or(0, |(leaves_ms, _)| leaves_ms.saturating_sub(now_ms));
        Gauge {
            name: self.rule.name.clone(),
            used: self.used,
            limit: self.rule.limit,
            reset_ms,
            reserved: reserve(self.rule.limit),
            window_ms: self.rule.window_ms,
            counted_by_venue: self.observed_ms.is_some_and(|at| now_ms.saturating_sub(at) < self.rule.window_ms),
        }
    }
}

/// At least one request of a limit of two or more; nothing of a limit of one, or normal requests could never go.
const fn reserve(limit: u32) -> u32 {
    match limit {
        0 | 1 => 0,
        2..=10 => 1,
        _ => limit / 100 * CANCEL_RESERVE_PERCENT + limit % 100 * CANCEL_RESERVE_PERCENT / 100,
    }
}

#[cfg(test)]
mod tests;
