//! Descriptors that secrets are read from, or that what is shown once is written to. Invariant: they are named by number and passed
//! on unread.

use clap::Args;

/// Declares the descriptors that a command reads secrets from, or writes to what is shown once.
macro_rules! descriptors {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident,)* }) => {
        $(#[$doc])*
        #[derive(Args, Clone, Debug)]
        pub(crate) struct $name {
            $($(#[$field_doc])* #[arg(long, value_name = "N")] pub(crate) $field: Option<u32>,)*
        }
    };
}

descriptors! {
    /// For `vault create`.
    NewVaultFds {
        /// Read the new password from this descriptor.
        password_fd,
        /// Write the recovery kit to this descriptor.
        kit_out_fd,
        /// Read the last group of the recovery kit from this descriptor.
        kit_fd,
        /// Write the address of the one-time codes to this descriptor.
        totp_out_fd,
        /// Read the first one-time code from this descriptor.
        totp_fd,
    }
}

descriptors! {
    /// For `vault unlock`.
    UnlockFds {
        /// Read the password from this descriptor.
        password_fd,
        /// Read the token's PIN, or the key server's token, from this descriptor.
        pin_fd,
    }
}

descriptors! {
    /// For `vault passwd`.
    PasswordChangeFds {
        /// Read the one-time code from this descriptor.
        totp_fd,
        /// Read the present password from this descriptor.
        password_fd,
        /// Read the PIN, or the key server's token, from this descriptor.
        pin_fd,
        /// Read the new password from this descriptor.
        new_password_fd,
    }
}

descriptors! {
    /// For `vault kit`.
    NewKitFds {
        /// Read the one-time code from this descriptor.
        totp_fd,
        /// Write the recovery kit to this descriptor.
        kit_out_fd,
        /// Read the last group of the recovery kit from this descriptor.
        kit_fd,
    }
}

descriptors! {
    /// For `vault codes`.
    NewCodesFds {
        /// Read the one-time code from this descriptor.
        totp_fd,
        /// Write the recovery codes to this descriptor, each on a line of its own.
        codes_out_fd,
        /// Read the last group of the last recovery code from this descriptor.
        codes_fd,
    }
}

descriptors! {
    /// For `vault phone`.
    NewPhoneFds {
        /// Read two lines from this descriptor: the one-time code, then the first one of the new phone.
        totp_fd,
        /// Write the address of the new one-time codes to this descriptor.
        totp_out_fd,
    }
}

descriptors! {
    /// For `vault add-slot`.
    NewSlotFds {
        /// Read the one-time code from this descriptor.
        totp_fd,
        /// Read the person's password from this descriptor.
        new_password_fd,
        /// Read the token's PIN, or the key server's token, from this descriptor.
        pin_fd,
        /// Write the auditor's code to this descriptor.
        code_out_fd,
        /// Read the last group of the auditor's code from this descriptor.
        code_fd,
    }
}

descriptors! {
    /// For `vault rekey`.
    RekeyFds {
        /// Read the one-time code from this descriptor.
        totp_fd,
        /// Read the present password from this descriptor.
        password_fd,
        /// Write the recovery kit to this descriptor.
        kit_out_fd,
        /// Read the last group of the recovery kit from this descriptor.
        kit_fd,
    }
}

descriptors! {
    /// For `vault recover`.
    RecoveryFds {
        /// Read the recovery kit from this descriptor.
        kit_fd,
        /// Read the new password from this descriptor.
        password_fd,
    }
}

descriptors! {
    /// For `key import` and `key rotate`.
    KeyFds {
        /// Read the one-time code from this descriptor.
        totp_fd,
        /// Read the API key from this descriptor.
        key_fd,
        /// Read the API secret or private key from this descriptor.
        secret_fd,
        /// Hand this file, unread, to the prompt, which shows what is in it.
        file_fd,
    }
}

impl KeyFds {
    /// The descriptor of the code alone.
    pub(crate) const fn code(&self) -> CodeFds {
        CodeFds { totp_fd: self.totp_fd }
    }
}

descriptors! {
    /// For what needs a one-time code.
    CodeFds {
        /// Read the one-time code from this descriptor.
        totp_fd,
    }
}
