//! What a change must satisfy besides its tests. Invariant: every check runs, even after another failed.

use crate::place::Place;
use crate::stage::stage;
use crate::{layers, tidy, ui};

pub(crate) fn run(place: &Place) -> anyhow::Result<bool> {
    let cargo = |arguments: &[&str]| Ok(place.cargo(arguments).status()?.success());
    let claim = place.claim_target()?;
    stage("page", || ui::build(place))?;
    let checks = [
        stage("format", || cargo(&["fmt", "--all", "--check"]))?,
        stage("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?,
        stage("page lints", || ui::check(place))?,
        stage("layers", || layers::run(place))?,
        stage("tidiness", || tidy::run(place))?,
    ];
    drop(claim);
    let failed = checks.iter().filter(|passed| !**passed).count();
    println!("{} passed, {failed} failed", checks.len() - failed);
    Ok(failed == 0)
}
