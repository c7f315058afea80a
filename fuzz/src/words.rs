//! The domain's own texts: money, symbols, names. Invariant: what is read is written to a text that reads the same.

use strongroom_model::{ClientOrderId, Notional, Price, Quantity, Symbol};

/// A decimal holds every number of so many digits. A remainder needs the whole digits of the one number and the decimals of
/// the other; where these are more, flooring is not exact.
const DIGITS_EXACT: usize = 28;

/// Numbers at the edges, a symbol, a name; two numbers apart by a blank are reckoned with.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "0",
        "1.50",
        "0.00000001",
        "79228162514264337593543950335",
        "999999999999999999.9999999999",
        ".5",
        "5.",
        "BTCUSDT",
        "a:b/c_d-1",
        "3 2",
        "1000000 0.0001",
    ]
    .map(Vec::from)
    .to_vec()
}

/// Reads every kind.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(symbol) = Symbol::parse(text) {
        assert_eq!(symbol.as_str(), text);
    }
    if let Ok(name) = ClientOrderId::parse(text) {
        assert_eq!(name.as_str(), text);
    }
    if let Ok(notional) = Notional::parse(text) {
        assert_eq!(Notional::parse(&notional.to_string()), Ok(notional));
    }
    let Some((price, quantity)) = text.split_once(' ') else { return };
    let (Ok(price), Ok(quantity)) = (Price::parse(price), Quantity::parse(quantity)) else { return };
    let _ = price.checked_mul(quantity);
    let Ok(step) = Price::parse(&quantity.to_string()) else { return };
    let ((whole, decimals), (_, step_decimals)) = (digits(price), digits(step));
    if whole + decimals.max(step_decimals) > DIGITS_EXACT {
        let _ = (price.floor_to(step), price.is_multiple_of(step));
        return;
    }
    let floor = price.floor_to(step);
    assert!(floor <= price && floor.is_multiple_of(step), "{price} floored to {step} is {floor}");
    assert!(step.is_zero() || price.checked_sub(floor).is_some_and(|rest| rest < step));
}

/// How many digits stand before and behind the point.
fn digits(price: Price) -> (usize, usize) {
    let text = price.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    (whole.len(), decimals.len())
}
