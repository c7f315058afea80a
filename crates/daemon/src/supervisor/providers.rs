//! Key providers: started when the signer wants one, and ended when they take too long. Invariant: a provider's channel to
//! the signer is held by those two alone, and no provider outlives its patience.

use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use strongroom_signer_api::control::ToSigner;
use strongroom_signer_api::provider::PATIENCE_S;
use strongroom_signer_api::{Channel, Line};

use crate::children::{self, Process};

/// Most providers at once: as many as prompts.
const PROVIDERS_MAX: usize = 4;

#[derive(Default)]
pub(crate) struct Providers {
    running: Vec<(Process, Instant)>,
}

impl Providers {
    /// The signer wants one.
    pub(crate) fn wanted(&mut self, number: u64, signer: &mut Line) {
        if let Err(error) = self.start(number, signer) {
            eprintln!("strongroomd: no key provider could be started: {error:#}");
            let _ = signer.try_send(&mut ToSigner::NoProvider(number).encode(), &[]);
        }
    }

    fn start(&mut self, number: u64, signer: &mut Line) -> anyhow::Result<()> {
        anyhow::ensure!(self.running.len() < PROVIDERS_MAX, "{PROVIDERS_MAX} are running");
        let (signer_end, provider_end) = Channel::pair()?;
        let process = children::provider()?;
        process.channel.try_send(b"P", &[provider_end.as_fd()])?;
        self.running.push((process, Instant::now()));
        signer.try_send(&mut ToSigner::AttachProvider(number).encode(), &[signer_end.as_fd()])?;
        Ok(())
    }

    /// Ends those that take too long; the signer sees it at its end of the channel.
    pub(crate) fn check(&mut self) {
        for (process, since) in &self.running {
            if since.elapsed() >= Duration::from_secs(PATIENCE_S) {
                process.kill();
            }
        }
        self.running.retain_mut(|(process, _)| process.ended().is_none());
    }

    pub(crate) fn end(&mut self) {
        for (process, _) in self.running.drain(..) {
            process.kill();
            process.reap();
        }
    }
}
