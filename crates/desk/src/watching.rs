//! Frames for a door that watches a market. Invariant: a frame is made when the one before was taken, from what is true
//! then; a slow door gets fewer frames, never older ones.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use strongroom_desk_api::market::{FRAME_EVERY_MS, FRAME_SILENCE_MAX_MS};
use strongroom_desk_api::{Tell, Watch};
use tokio::net::unix::OwnedWriteHalf;

use crate::doors::write_line;
use crate::feed::Told;
use crate::hall::Hall;

/// Writes whole frames until `end` comes, or the door is gone.
pub(crate) async fn frames(hall: &Arc<Hall>, watch: &Watch, writer: &mut OwnedWriteHalf, end: impl Future<Output = ()>) -> io::Result<()> {
    let mut end = std::pin::pin!(end);
    let mut news = hall.feed.news();
    let mut told = Told::default();
    loop {
        let frame = hall.feed.frame(watch, &mut told, hall.versions());
        write_line(writer, &Tell::Frame(Box::new(frame))).await?;
        let due = async {
            tokio::time::sleep(Duration::from_millis(FRAME_EVERY_MS)).await;
            let silence = Duration::from_millis(FRAME_SILENCE_MAX_MS - FRAME_EVERY_MS);
            // Without news a frame still tells the age of the book.
            let _ = tokio::time::timeout(silence, news.changed()).await;
        };
        tokio::select! {
            () = &mut end => return Ok(()),
            () = due => {}
        }
    }
}
