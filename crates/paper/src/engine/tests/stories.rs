//! Stories of waiting orders and of lists.

use super::desk::Desk;

/// Says line after line; each line is words and what they cause.
fn story(lines: &[(&str, &str)]) -> Desk {
    let mut desk = Desk::new();
    for (words, expected) in lines {
        assert_eq!(desk.say(words), *expected, "{words}");
    }
    for row in desk.engine.audit() {
        assert_eq!(u128::from(row.deposited.0), row.held, "{}", row.asset);
    }
    desk
}

/// Trades a little at `price` between `c` and `d`, so that it is the last price.
fn print(desk: &mut Desk, price: &str) -> String {
    let first = desk.say(&format!("c sell 0.07 @ {price}"));
    let second = desk.say(&format!("d buy 0.07 @ {price} ioc"));
    // What comes after the two orders' own events.
    let own = |text: &str| {
        text.split("; ").filter(|words| !words.contains("0.07@") && !words.ends_with(" new")).map(str::to_owned).collect::<Vec<_>>()
    };
    let told: Vec<String> = own(&first).into_iter().chain(own(&second)).collect();
    told.join("; ")
}

#[test]
fn a_stop_triggers_at_the_last_price() {
    let mut desk = Desk::new();
    assert_eq!(print(&mut desk, "1000"), "");
    assert_eq!(desk.say("a sell 1 sl stop=1000"), "refused: the stop price would trigger immediately");
    assert_eq!(desk.say("a sell 1 tp stop=999"), "refused: the stop price would trigger immediately");
    assert_eq!(desk.say("a buy 1 sl stop=1000"), "refused: the stop price would trigger immediately");
    assert_eq!(desk.say("a buy 1 tp stop=1001"), "refused: the stop price would trigger immediately");
    assert_eq!(desk.say("a sell 1 sll stop=990 @ 985"), "3 waits");
    assert_eq!((desk.holds("a", "BTC").as_str(), desk.book(strongroom_model::Side::Sell).as_str()), ("9/1", ""));
    assert_eq!(print(&mut desk, "991"), "");
    assert_eq!(print(&mut desk, "990"), "3 triggered");
    assert_eq!(desk.book(strongroom_model::Side::Sell), "1@985");
    assert_eq!(desk.say("a buy 1 sl stop=1100"), "8 waits");
    assert_eq!(desk.holds("a", "USDT"), "98900/1100", "a buy without a limit price holds its stop price");
    assert_eq!(desk.say("b sell 2 @ 1100"), "9 new");
    // Its trade at 985 is away from the stop; the trade at 1100 takes the rest of the book with it.
    assert_eq!(
        desk.say("c buy 1.5 @ 1100"),
        "10 new; 3 made 1@985 Filled; 10 took 1@985 PartiallyFilled; 9 made 0.5@1100 PartiallyFilled; 10 took 0.5@1100 Filled; \
         8 triggered; 9 made 1@1100 PartiallyFilled; 8 took 1@1100 Filled"
    );
    assert_eq!((desk.holds("a", "USDT").as_str(), desk.holds("a", "BTC").as_str()), ("99885/0", "10/0"));
}

#[test]
fn triggered_orders_trigger_others_in_the_order_of_the_prices() {
    story(&[
        ("b buy 1 @ 100", "1 new"),
        ("b buy 1 @ 95", "2 new"),
        ("b buy 1 @ 90", "3 new"),
        ("a sell 1 sl stop=95", "4 waits"),
        ("a sell 1 sl stop=100", "5 waits"),
        (
            "c sell 1 market",
            "6 new; 1 made 1@100 Filled; 6 took 1@100 Filled; 5 triggered; 2 made 1@95 Filled; 5 took 1@95 Filled; \
             4 triggered; 3 made 1@90 Filled; 4 took 1@90 Filled",
        ),
    ]);
}

#[test]
fn a_triggered_buy_that_cannot_be_paid_expires() {
    let mut desk = Desk::new();
    print(&mut desk, "1000");
    desk.say("b sell 1 @ 90000");
    desk.say("b sell 1 @ 90001");
    desk.say("a buy 2 sl stop=1100");
    assert_eq!(print(&mut desk, "1100"), "5 expired Rejected");
    assert_eq!(desk.holds("a", "USDT"), "100000/0");
}

/// Scenario A of `faqs/trailing-stop-faq.md`, in tenths.
#[test]
fn a_trailing_stop_buy_with_a_stop_price() {
    let mut desk = Desk::new();
    print(&mut desk, "4000");
    assert_eq!(desk.say("a buy 0.01 sll @ 4500 stop=4400 trail=500"), "3 waits");
    assert_eq!(print(&mut desk, "4300"), "");
    assert_eq!(print(&mut desk, "4400"), "3 tracks 4400");
    assert_eq!(print(&mut desk, "4500"), "");
    assert_eq!(print(&mut desk, "4200"), "3 tracks 4200");
    assert_eq!(print(&mut desk, "4409.99"), "");
    assert_eq!(print(&mut desk, "4410"), "3 triggered");
}

/// Scenarios D and E.
#[test]
fn trailing_sells_with_and_without_a_stop_price() {
    let mut desk = Desk::new();
    print(&mut desk, "4000");
    assert_eq!(desk.say("a sell 0.01 tpl @ 4100 stop=4200 trail=750"), "3 waits");
    for (price, told) in [
        ("4150", ""),
        ("3900", ""),
        ("4200", "3 tracks 4200"),
        ("4500", "3 tracks 4500"),
        ("4400", ""),
        ("4650", "3 tracks 4650"),
        ("4301.26", ""),
        ("4301.25", "3 triggered"),
    ] {
        assert_eq!(print(&mut desk, price), told, "{price}");
    }
    let mut desk = Desk::new();
    print(&mut desk, "4000");
    assert_eq!(desk.say("a sell 0.01 sll @ 3900 trail=700"), "3 waits");
    for (price, told) in [("4200", "3 tracks 4200"), ("3950", ""), ("4550", "3 tracks 4550"), ("4231.51", ""), ("4231.5", "3 triggered")] {
        assert_eq!(print(&mut desk, price), told, "{price}");
    }
}

#[test]
fn an_oco_locks_once_and_one_leg_ends_the_other() {
    let mut desk = Desk::new();
    print(&mut desk, "100");
    let oco = "a oco [sell 2 @ 110 maker] [sell 2 sll @ 89 stop=90]";
    assert_eq!(desk.say(oco), "list 1 executing; 3 new; 4 waits");
    assert_eq!(desk.holds("a", "BTC"), "8/2");
    assert_eq!(desk.say("b buy 0.5 @ 110"), "5 new; 4 expired OcoTrigger; 3 made 0.5@110 PartiallyFilled; 5 took 0.5@110 Filled");
    assert_eq!(desk.holds("a", "BTC"), "8/1.5");
    assert_eq!(desk.say("b buy 1.5 @ 110"), "6 new; 3 made 1.5@110 Filled; list 1 done; 6 took 1.5@110 Filled");
    print(&mut desk, "100");
    assert_eq!(desk.say(oco), "list 2 executing; 9 new; 10 waits");
    assert_eq!(print(&mut desk, "90"), "9 expired OcoTrigger; 10 triggered");
    assert_eq!(desk.book(strongroom_model::Side::Sell), "2@89");
    assert_eq!(desk.say("a cancel 10"), "10 canceled; list 2 done");
    print(&mut desk, "100");
    assert_eq!(desk.say(oco), "list 3 executing; 15 new; 16 waits");
    assert_eq!(desk.say("a cancel 16"), "16 canceled; 15 canceled; list 3 done");
    assert_eq!(desk.holds("a", "BTC"), "8/0");
}

#[test]
fn an_oco_of_buys_holds_the_dearer_leg() {
    let mut desk = Desk::new();
    print(&mut desk, "100");
    let oco = "a oco [buy 1 sll @ 121 stop=120] [buy 1 @ 90 maker]";
    assert_eq!(desk.say(oco), "list 1 executing; 3 waits; 4 new");
    assert_eq!(desk.holds("a", "USDT"), "99879/121");
    assert_eq!(desk.say("a amend 4 0.5"), "4 replaced 0.5; 3 replaced 0.5");
    assert_eq!(desk.holds("a", "USDT"), "99939.5/60.5");
    assert_eq!(desk.say("b sell 0.1 @ 90"), "5 new; 3 expired OcoTrigger; 4 made 0.1@90 PartiallyFilled; 5 took 0.1@90 Filled");
    assert_eq!(desk.holds("a", "USDT"), "99955/36");
    assert_eq!(desk.say("a cancellist 1"), "4 canceled; list 1 done");
    assert_eq!(desk.say("b cancellist 1"), "refused: no open order of this account is meant");
}

#[test]
fn oco_pairs_and_prices() {
    let wrong = "refused: this combination of order type, time in force, trigger and iceberg is not supported";
    let relation = "refused: the relationship of the prices for the orders is not correct";
    let rows = [
        ("a oco [sell 1 @ 110 maker] [sell 1 sl stop=90]", ""),
        ("a oco [sell 1 tp stop=110] [sell 1 sll @ 90 stop=90]", ""),
        ("a oco [sell 1 tpl @ 111 stop=110] [sell 1 sl trail=500]", ""),
        ("a oco [buy 1 sl stop=110] [buy 1 tp stop=90]", ""),
        ("a oco [buy 1 sl stop=110] [buy 1 tpl @ 90 stop=91]", ""),
        ("a oco [sell 1 sl stop=90] [sell 1 @ 110 maker]", wrong),
        ("a oco [sell 1 @ 110 maker] [buy 1 sl stop=90]", wrong),
        ("a oco [sell 1 @ 110 maker] [sell 2 sl stop=90]", wrong),
        ("a oco [sell 1 @ 110] [sell 1 sl stop=90]", wrong),
        ("a oco [sell 1 @ 99 maker] [sell 1 sl stop=90]", relation),
        ("a oco [sell 1 @ 110 maker] [sell 1 sl stop=100]", relation),
        ("a oco [buy 1 sl stop=100] [buy 1 @ 90 maker]", relation),
    ];
    for (words, expected) in rows {
        let mut desk = Desk::new();
        print(&mut desk, "100");
        let said = desk.say(words);
        assert!(if expected.is_empty() { said.starts_with("list 1") } else { said == expected }, "{words}: {said}");
    }
}

#[test]
fn an_oto_places_its_pending_order_when_the_working_one_filled() {
    let desk = story(&[
        ("a oto [buy 1 @ 100] [sell 1 @ 120]", "list 1 executing; 1 new; 2 pending"),
        ("b sell 0.4 @ 100", "3 new; 1 made 0.4@100 PartiallyFilled; 3 took 0.4@100 Filled"),
        ("b sell 0.6 @ 100", "4 new; 1 made 0.6@100 Filled; 4 took 0.6@100 Filled; 2 new"),
        ("b buy 1 @ 120", "5 new; 2 made 1@120 Filled; list 1 done; 5 took 1@120 Filled"),
    ]);
    assert_eq!((desk.holds("a", "BTC").as_str(), desk.holds("a", "USDT").as_str()), ("10/0", "100020/0"));
    story(&[
        ("b sell 1 @ 100", "1 new"),
        // At once, and the pending market order with it.
        ("b buy 1 @ 90", "2 new"),
        (
            "a oto [buy 1 @ 100] [sell 1 market]",
            "list 1 executing; 3 new; 4 pending; 1 made 1@100 Filled; 3 took 1@100 Filled; 4 new; 2 made 1@90 Filled; 4 took 1@90 Filled; list 1 done",
        ),
    ]);
    story(&[
        ("a oto [buy 1 @ 100] [sell 1 @ 120]", "list 1 executing; 1 new; 2 pending"),
        ("a cancel 2", "2 canceled; 1 canceled; list 1 done"),
        (
            "a oto [buy 1 @ 100 ioc] [sell 1 @ 120]",
            "list 2 executing; 3 new; 4 pending; 3 expired UnfilledIoc; 4 expired OtoPhaseOneExpired; list 2 done",
        ),
        ("a oto [buy 1 @ 100] [sell 1 @ 120]", "list 3 executing; 5 new; 6 pending"),
        ("a amend 6 0.5", "6 replaced 0.5"),
        ("a cancelall", "5 canceled; 6 canceled; list 3 done"),
    ]);
}

#[test]
fn pending_orders_that_cannot_be_placed_expire() {
    story(&[
        ("a oto [buy 1 @ 100] [sell 12 @ 120]", "list 1 executing; 1 new; 2 pending"),
        ("b sell 1 @ 100", "3 new; 1 made 1@100 Filled; 3 took 1@100 Filled; 2 expired Rejected; list 1 done"),
        ("a oto [buy 1 @ 100] [sell 1 sl stop=105]", "list 2 executing; 4 new; 5 pending"),
        ("b sell 1 @ 100", "6 new; 4 made 1@100 Filled; 6 took 1@100 Filled; 5 expired Rejected; list 2 done"),
    ]);
}

#[test]
fn an_otoco_is_an_oto_with_an_oco() {
    let desk = story(&[
        ("a otoco [buy 1 @ 100] [sell 1 @ 120 maker] [sell 1 sll @ 79 stop=80]", "list 1 executing; 1 new; 2 pending; 3 pending"),
        ("b sell 1 @ 100", "4 new; 1 made 1@100 Filled; 4 took 1@100 Filled; 2 new; 3 waits"),
        ("b buy 0.5 @ 120", "5 new; 3 expired OcoTrigger; 2 made 0.5@120 PartiallyFilled; 5 took 0.5@120 Filled"),
        ("a cancel 2", "2 canceled; list 1 done"),
    ]);
    assert_eq!(desk.holds("a", "BTC"), "10.5/0");
    story(&[
        ("a otoco [buy 1 @ 100] [sell 1 @ 120 maker] [sell 1 sll @ 79 stop=80]", "list 1 executing; 1 new; 2 pending; 3 pending"),
        ("b sell 1 @ 100 stp=taker", "4 new; 1 made 1@100 Filled; 4 took 1@100 Filled; 2 new; 3 waits"),
        ("c buy 1 @ 80", "5 new"),
        ("d sell 1 @ 80", "6 new; 5 made 1@80 Filled; 6 took 1@80 Filled; 2 expired OcoTrigger; 3 triggered"),
        ("d buy 1 @ 79", "7 new; 3 made 1@79 Filled; list 1 done; 7 took 1@79 Filled"),
    ]);
}
