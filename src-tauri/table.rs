// The one table of commands. Invariant: the router, the permission list, the isolation hook's list and the page's types
// are made from it or compared with it. It is included by build.rs too, so it names types without using them.
macro_rules! table {
    ($use:ident) => {
        $use! {
            hello() -> Hello;
            start() -> ();
            ready(screen: String) -> ();
            attach(pushes: Pushes) -> ();
            watch(watch: Option<Watch>) -> ();
            ack(seq: u64) -> ();
            vault() -> VaultView;
            session() -> SessionView;
            act(action: DoorAction, source: Source) -> Outcome;
            give_up() -> ();
            lock() -> String;
            seal() -> String;
            keys() -> Vec<KeyView>;
            public_key(id: CredentialId) -> String;
            go_on(id: CredentialId) -> Outcome;
            suspect(id: CredentialId, why: String) -> String;
            end_session(door: String) -> String;
            slots() -> Vec<SlotInfo>;
            policy() -> Policy;
            instruments() -> Vec<Instrument>;
            candles(symbol: Symbol, interval: Interval) -> Vec<Candle>;
            check(order: Order) -> Checks;
            size(symbol: Symbol, side: Side, price: Option<Price>, percent: u32) -> Quantity;
            place(order: Order, name: Option<String>, reason: Option<String>) -> OrderView;
            cancel(client_order_id: String) -> OrderView;
            amend(client_order_id: String, quantity: Quantity) -> OrderView;
            unprotect(client_order_id: String) -> OrderView;
            orders(live: bool) -> Vec<OrderView>;
            balances() -> Vec<Balance>;
            kill(why: String, scope: KillScope) -> Killed;
            kill_report() -> Option<KillReport>;
            drill(orders: u32) -> Drilled;
            audit(before: Option<u64>, last: u32) -> AuditPage;
            verify(key: Option<String>) -> Verified;
            settings(settings: Settings) -> ();
        }
    };
}
