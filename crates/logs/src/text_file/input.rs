//! Opens a log: a file or standard input, as it is or compressed with gzip or Zstandard, which its first bytes tell.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use common::failure::{Context as _, Result};
use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

use crate::{Millis, to_datetime};

/// Bytes that are read at once.
pub(super) const BLOCK_SIZE: usize = 256 << 10;

/// Blocks that are read before they are needed.
const READ_AHEAD: usize = 4;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A log as text.
pub struct TextInput {
    /// The path as it was given, or `-`.
    pub name: String,
    /// When it was last written, for events without a time.
    pub modified: Millis,
    reader: Box<dyn Read + Send>,
}

impl TextInput {
    /// Opens a file, or standard input if the path is `-`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let cannot_read = || format!("cannot read `{}`", path.display());
        let now = || chrono::Utc::now().timestamp_millis();
        if name == "-" {
            let stdin = BufReader::with_capacity(BLOCK_SIZE, io::stdin());
            return Ok(Self { name, modified: now(), reader: decompressed(stdin).context(cannot_read)? });
        }
        let file = File::open(path).context(cannot_read)?;
        let metadata = file.metadata().context(cannot_read)?;
        if metadata.is_dir() {
            return Err(common::failure::Failure::usage(format!("`{name}` is a directory"))
                .hint(format!("name the files in it, such as {name}/*.log")));
        }
        let modified = metadata.modified().map(chrono::DateTime::<chrono::Utc>::from);
        let modified = modified.map_or_else(|_| now(), |time| time.timestamp_millis());
        let reader = decompressed(BufReader::with_capacity(BLOCK_SIZE, file)).context(cannot_read)?;
        Ok(Self { name, modified, reader })
    }

    /// Starts a thread that reads ahead; returns the blocks. The end is an empty block or an error.
    pub(super) fn blocks(self) -> Receiver<io::Result<Vec<u8>>> {
        let (sender, receiver) = sync_channel(READ_AHEAD);
        let reader = self.reader;
        // Ends when the receiver is dropped, or at the end of the input.
        std::thread::spawn(move || read_blocks(reader, &sender));
        receiver
    }
}

impl std::fmt::Debug for TextInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TextInput({:?}, {})", self.name, to_datetime(self.modified))
    }
}

fn read_blocks(mut reader: Box<dyn Read + Send>, sender: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut block = vec![0; BLOCK_SIZE];
        let length = loop {
            match reader.read(&mut block) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                length => break length,
            }
        };
        let is_end = !matches!(length, Ok(1..));
        let sent = sender.send(length.map(|length| {
            block.truncate(length);
            block
        }));
        if is_end || sent.is_err() {
            return;
        }
    }
}

/// Decompresses as the first bytes say.
fn decompressed<R: BufRead + Send + 'static>(mut reader: R) -> io::Result<Box<dyn Read + Send>> {
    let start = reader.fill_buf()?;
    if start.starts_with(&GZIP) {
        return Ok(Box::new(MultiGzDecoder::new(reader)));
    }
    if start.starts_with(&ZSTD) {
        return Ok(Box::new(ZstdFrames { frame: None, rest: Some(reader) }));
    }
    Ok(Box::new(reader))
}

/// Decompresses the frames of a Zstandard file, one after the other.
struct ZstdFrames<R: BufRead> {
    frame: Option<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>,
    rest: Option<R>,
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let length = frame.read(buffer)?;
                if length > 0 {
                    return Ok(length);
                }
                self.rest = self.frame.take().map(StreamingDecoder::into_inner);
            }
            let Some(mut rest) = self.rest.take() else { return Ok(0) };
            if rest.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.frame = Some(StreamingDecoder::new(rest).map_err(io::Error::other)?);
        }
    }
}
