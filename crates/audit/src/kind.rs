//! What can happen. Invariant: a name once written never changes its meaning.

use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)+) => {
        /// What an entry tells of. The name stands in clear in the leaf; everything else is sealed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])* $variant,)+ }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in the log.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

kinds! {
    /// Opens an epoch; built by [`Writer::begin`](crate::Writer::begin) only.
    Epoch = "epoch",
    /// A vault was made.
    VaultCreated = "vault-created",
    /// The vault was saved: generation and MAC.
    VaultSaved = "vault-saved",
    /// The vault was opened.
    Unlocked = "unlocked",
    /// Somebody tried and failed.
    UnlockFailed = "unlock-failed",
    /// Doors must authenticate again.
    Locked = "locked",
    /// The signer ended; nothing can be signed.
    Sealed = "sealed",
    /// The recovery kit was used or replaced.
    Recovered = "recovered",
    /// Password or key derivation was replaced.
    PasswordChanged = "password-changed",
    /// A new recovery kit was printed.
    KitReplaced = "kit-replaced",
    /// New recovery codes were printed; earlier ones count no more.
    RecoveryCodesPrinted = "recovery-codes-printed",
    /// The one-time codes are another phone's; recovery codes of before count no more.
    PhoneChanged = "phone-changed",
    /// A recovery code was given in place of a one-time code.
    RecoveryCodeUsed = "recovery-code-used",
    /// There is one more way into the vault.
    SlotAdded = "slot-added",
    /// There is one way less.
    SlotRemoved = "slot-removed",
    /// Everything in the vault has new keys.
    Rekeyed = "rekeyed",
    /// The file was older than its anchor.
    RolledBack = "rolled-back",
    /// The keychain no longer knows the vault.
    AnchorLost = "anchor-lost",
    /// A backup took the vault's place.
    BackupRestored = "backup-restored",
    /// The signer ended by itself.
    SignerCrashed = "signer-crashed",
    /// The desk began to work.
    DeskStarted = "desk-started",
    /// The desk ended in order.
    DeskStopped = "desk-stopped",
    /// A credential came in.
    KeyImported = "key-imported",
    /// A key pair was made.
    KeyGenerated = "key-generated",
    /// What is noted of a credential changed.
    KeyEdited = "key-edited",
    /// A credential took another's place.
    KeyRotated = "key-rotated",
    /// The venue refuses a credential that was replaced; it was removed.
    KeyRevoked = "key-revoked",
    /// A credential should be replaced: something was not as it should be.
    KeySuspected = "key-suspected",
    /// A credential was removed.
    KeyDeleted = "key-deleted",
    /// A credential was tried at its venue.
    KeyTested = "key-tested",
    /// A grant or virtual key was given.
    GrantIssued = "grant-issued",
    /// A grant or virtual key was withdrawn.
    GrantRevoked = "grant-revoked",
    /// The signer's policy was replaced.
    PolicyChanged = "policy-changed",
    /// An organisation's limits hold from now on, or no more.
    ManagedPolicy = "managed-policy",
    /// The owner of a slot may do something else from now on.
    RolesSet = "roles-set",
    /// An order passed a rule: noted only, with a reason, or because risk let it pass.
    RulePassed = "rule-passed",
    /// Risk lets one order pass a rule.
    RuleOverridden = "rule-overridden",
    /// A large order was confirmed with a code.
    OrderConfirmed = "order-confirmed",
    /// The kill switch was used.
    Killed = "killed",
    /// What it took back is gone.
    KillEnded = "kill-ended",
    /// The kill switch leaves an order, or no more.
    OrderProtected = "order-protected",
    /// Trading was allowed again.
    Rearmed = "rearmed",
    /// Too many failures; a person has to wait or decide.
    LockedOut = "locked-out",
    /// An order is about to be signed.
    OrderIntended = "order-intended",
    /// The signer signed it.
    OrderSigned = "order-signed",
    /// It left the machine.
    OrderSent = "order-sent",
    /// The venue told of it.
    OrderReported = "order-reported",
    /// It was refused before it left, by a rule or a signer.
    OrderRefused = "order-refused",
    /// Nobody knows whether the venue has it.
    OrderAmbiguous = "order-ambiguous",
    /// Now it is known.
    OrderReconciled = "order-reconciled",
    /// A second factor was asked for, with the outcome.
    StepUp = "step-up",
    /// The second factor was enrolled or replaced.
    TotpEnrolled = "totp-enrolled",
    /// The clock moved in a way that clocks do not.
    ClockAlarm = "clock-alarm",
    /// A server showed another certificate.
    PinAlarm = "pin-alarm",
    /// A person confirmed a server's certificate.
    PinAccepted = "pin-accepted",
    /// A person trusts a server's key no more.
    PinForgotten = "pin-forgotten",
    /// Something was not as it usually is.
    WatchAlarm = "watch-alarm",
    /// A session began.
    SessionOpened = "session-opened",
    /// A session ended.
    SessionClosed = "session-closed",
    /// The log was exported or forwarded.
    Exported = "exported",
    /// Still here.
    Heartbeat = "heartbeat",
}

impl Kind {
    /// The kind of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.text() == text)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_kebab_case_and_read_back() {
        for (at, kind) in Kind::ALL.iter().enumerate() {
            let text = kind.text();
            assert!(text.len() <= 32 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{text}");
            assert_eq!(Kind::parse(text), Some(*kind));
            assert!(Kind::ALL[..at].iter().all(|other| other.text() != text), "{text}");
        }
    }
}
