//! The budget's rules as rows, its promise as properties.

use proptest::prelude::*;

use super::*;

fn rule(kind: Kind, window_ms: u64, limit: u32) -> RateRule {
    RateRule { name: format!("{kind:?} per {window_ms} ms"), kind, window_ms, limit }
}

fn weights(limit: u32) -> Governor {
    Governor::new(vec![rule(Kind::Weight, 1_000, limit)])
}

fn wait_ms(answer: Result<(), Wait>) -> u64 {
    answer.unwrap_err().retry_after_ms
}

const ONE: &[(Kind, u32)] = &[(Kind::Weight, 1)];

#[test]
fn the_window_slides() {
    let mut governor = weights(2);
    let mut ask = |now_ms| governor.ask(now_ms, ONE, Priority::Cancel);
    assert_eq!((ask(0), ask(600)), (Ok(()), Ok(())));
    assert_eq!(wait_ms(ask(999)), 1, "until the first leaves");
    assert_eq!(ask(1_000), Ok(()));
    assert_eq!(wait_ms(ask(1_000)), 600, "until the second leaves");
    assert_eq!(wait_ms(ask(400)), 600, "time does not go back");
}

#[test]
fn cancels_have_a_reserve() {
    for (limit, normal) in [(1, 1), (2, 1), (10, 9), (11, 10), (50, 45), (6_000, 5_400), (u32::MAX, u32::MAX - 429_496_729)] {
        assert_eq!(limit - reserve(limit), normal, "limit {limit}");
    }
    let mut governor = weights(10);
    for _ in 0..9 {
        governor.ask(0, ONE, Priority::Normal).unwrap();
    }
    assert_eq!(wait_ms(governor.ask(1, ONE, Priority::Normal)), 999);
    governor.ask(1, ONE, Priority::Cancel).unwrap();
    assert_eq!(wait_ms(governor.ask(1, ONE, Priority::Cancel)), 999);
}

#[test]
fn refused_costs_nothing_and_too_much_is_never() {
    let mut governor = Governor::new(vec![rule(Kind::Weight, 1_000, 10), rule(Kind::Orders, 10_000, 1)]);
    governor.ask(0, &[(Kind::Orders, 1)], Priority::Normal).unwrap();
    let both = [(Kind::Weight, 5), (Kind::Orders, 1)];
    assert_eq!(governor.ask(0, &both, Priority::Normal), Err(Wait { retry_after_ms: 10_000, rule: "Orders per 10000 ms".into() }));
    assert_eq!(governor.gauges(0)[0].used, 0);
    let never = governor.ask(0, &[(Kind::Weight, 11)], Priority::Cancel).unwrap_err();
    assert_eq!((never.retry_after_ms, never.advice()), (NEVER_MS, Advice::Refuse));
    assert_eq!(governor.ask(0, &[(Kind::Raw, 1_000_000)], Priority::Normal), Ok(()), "no rule counts it");
}

#[test]
fn headers_only_raise() {
    let mut governor = weights(100);
    governor.observe(0, Kind::Weight, 1_000, 40);
    governor.observe(10, Kind::Weight, 1_000, 30);
    governor.observe(10, Kind::Weight, 60_000, 99);
    governor.observe(10, Kind::Orders, 1_000, 99);
    let gauge = Gauge {
        name: "Weight per 1000 ms".into(),
        used: 40,
        limit: 100,
        reset_ms: 990,
        reserved: 10,
        window_ms: 1_000,
        counted_by_venue: true,
    };
    assert_eq!(governor.gauges(10)[0], gauge);
    governor.observe(20, Kind::Weight, 1_000, 4_000_000_000);
    assert_eq!(wait_ms(governor.ask(20, ONE, Priority::Cancel)), 1_000);
    assert_eq!(governor.ask(1_020, ONE, Priority::Cancel), Ok(()));
}

#[test]
fn push_back() {
    let mut governor = weights(100);
    governor.back_off(0, 5_000, PushBack::TooMany);
    governor.back_off(0, 3_000, PushBack::TooMany);
    assert_eq!(wait_ms(governor.ask(1_000, ONE, Priority::Normal)), 4_000, "a shorter one does not shorten");
    assert_eq!(governor.ask(1_000, ONE, Priority::Cancel), Ok(()));
    governor.back_off(1_000, 9_000, PushBack::Banned);
    assert_eq!(wait_ms(governor.ask(1_000, ONE, Priority::Cancel)), 8_000);
    assert_eq!(wait_ms(governor.ask(6_000, ONE, Priority::Normal)), 3_000);
    assert_eq!(governor.ask(9_000, ONE, Priority::Normal), Ok(()));
    governor.back_off(9_000, u64::MAX, PushBack::Banned);
    assert_eq!(wait_ms(governor.ask(9_000, ONE, Priority::Normal)), BACK_OFF_MS_MAX);
}

#[test]
fn new_rules_do_not_forget() {
    let mut governor = weights(10);
    governor.ask(0, &[(Kind::Weight, 9)], Priority::Normal).unwrap();
    governor.set_rules(vec![rule(Kind::Weight, 1_000, 5), rule(Kind::Raw, 1_000, 5)]);
    assert_eq!(wait_ms(governor.ask(1, ONE, Priority::Cancel)), 999);
    assert_eq!(governor.gauges(1).iter().map(|gauge| gauge.used).collect::<Vec<_>>(), [9, 0]);
}

proptest! {
    /// The promise of the module, for windows counted exactly and in steps.
    #[test]
    fn no_half_open_window_holds_more(
        window_ms in prop_oneof![1_u64..200, Just(60_000), Just(86_400_000)],
        limit in 1_u32..30,
        asks in prop::collection::vec((0_u64..50, 1_u32..4, any::<bool>()), 1..300),
    ) {
        let mut governor = Governor::new(vec![rule(Kind::Weight, window_ms, limit)]);
        let unit_ms = (window_ms / 200).max(1);
        let mut admitted: Vec<(u64, u32)> = Vec::new();
        let mut now_ms = 0;
        for (pause, cost, is_cancel) in asks {
            now_ms += pause * unit_ms;
            let priority = if is_cancel { Priority::Cancel } else { Priority::Normal };
            match governor.ask(now_ms, &[(Kind::Weight, cost)], priority) {
                Ok(()) => admitted.push((now_ms, cost)),
                Err(wait) if wait.retry_after_ms == NEVER_MS => prop_assert!(cost > limit - reserve(limit)),
                Err(wait) => {
                    // What is promised to fit then fits then, and not before.
                    let mut later = governor.clone();
                    prop_assert!(later.ask(now_ms + wait.retry_after_ms - 1, &[(Kind::Weight, cost)], priority).is_err());
                    prop_assert!(later.ask(now_ms + wait.retry_after_ms, &[(Kind::Weight, cost)], priority).is_ok());
                }
            }
        }
        for (start, _) in &admitted {
            let inside = admitted.iter().filter(|(at, _)| (*start..start + window_ms).contains(at));
            prop_assert!(inside.map(|(_, cost)| cost).sum::<u32>() <= limit);
        }
    }

    /// With windows counted to the millisecond every refusal is justified.
    #[test]
    fn no_refusal_without_a_reason(
        window_ms in 1_u64..200,
        limit in 1_u32..30,
        asks in prop::collection::vec((0_u64..50, 1_u32..4), 1..300),
    ) {
        let mut governor = Governor::new(vec![rule(Kind::Weight, window_ms, limit)]);
        let mut admitted: Vec<(u64, u32)> = Vec::new();
        let mut now_ms = 0;
        for (pause, cost) in asks {
            now_ms += pause;
            let used: u32 = admitted.iter().filter(|(at, _)| at + window_ms > now_ms).map(|(_, cost)| cost).sum();
            let answer = governor.ask(now_ms, &[(Kind::Weight, cost)], Priority::Cancel);
            prop_assert_eq!(answer.is_ok(), used + cost <= limit);
            if answer.is_ok() {
                admitted.push((now_ms, cost));
            }
        }
    }
}
