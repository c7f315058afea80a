//! What a person may do, as a set of roles.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One part of what a person may do. A vault's first slot has all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Role {
    /// Sees.
    Viewer,
    /// Places and cancels orders.
    Trader,
    /// Sets risk limits, re-arms.
    Risk,
    /// Imports, rotates, deletes credentials; lets others in.
    KeyAdmin,
    /// Reads the audit log.
    Auditor,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Trader, Self::Risk, Self::KeyAdmin, Self::Auditor];
    /// What a machine may do that opened the vault without a person.
    pub const OF_SERVICES: [Self; 2] = [Self::Viewer, Self::Trader];

    /// As people and files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Trader => "trader",
            Self::Risk => "risk",
            Self::KeyAdmin => "key-admin",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| format!("“{text}” is no role; roles are {}", names()))
    }
}
