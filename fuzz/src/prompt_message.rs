//! What prompts, signer and doors say. Invariant: what is read is written back to the same bytes, but for a frame's number.

use strongroom_desk_api::supervisor::ToSupervisor;
use strongroom_signer_api::errand::{Errand, Face, Slot};
use strongroom_signer_api::prompt::{Field, FromPrompt, Origin, Show, ToPrompt};
use strongroom_signer_api::{About, Deed};

/// One of each.
pub fn seeds() -> Vec<Vec<u8>> {
    let slots = Field::ALL.into_iter().take(3).map(Slot::Answer).chain([Slot::Shown(Show::Kit), Slot::Import]).collect();
    let errand = Errand { ticket: [3; 16], face: Face::Terminal, slots };
    let mut seeds = vec![
        errand.encode(),
        ToSupervisor::Prompt(errand).encode(),
        ToSupervisor::Kill(strongroom_guard::Freeze::everything("test")).encode(),
    ];
    let mut out = Vec::new();
    let about = About { tries_left: Some(9), ..About::new(Deed::Delete, "Delete the key") }.with("Venue", "Binance");
    for message in [
        ToPrompt::About(about),
        ToPrompt::Ask(Field::Totp, b"Code"),
        ToPrompt::Show(Show::OtpUri, b"otpauth://"),
        ToPrompt::Takes(850),
        ToPrompt::End(true, b"Done."),
    ] {
        message.write(&mut out);
        seeds.push(out.clone());
    }
    for message in [
        FromPrompt::Hello([1; 16]),
        FromPrompt::Answer(b"123456"),
        FromPrompt::From(Origin::PlainFile, b"environment file"),
        FromPrompt::Shown,
        FromPrompt::Cancel,
    ] {
        message.write(&mut out);
        seeds.push(out.clone());
    }
    seeds
}

/// Reads all of them.
pub fn check(data: &[u8]) {
    let mut out = Vec::new();
    if let Some(message) = ToPrompt::parse(data) {
        message.write(&mut out);
        crate::assert_same_frame(&out, data);
    }
    if let Some(message) = FromPrompt::parse(data) {
        message.write(&mut out);
        crate::assert_same_frame(&out, data);
    }
    if let Some(errand) = Errand::decode(data) {
        assert_eq!(errand.encode(), data);
        assert!(errand.fds_len() <= 1 + errand.slots.len());
    }
    if let Some(said) = ToSupervisor::decode(data) {
        assert_eq!(ToSupervisor::decode(&said.encode()), Some(said));
    }
}
