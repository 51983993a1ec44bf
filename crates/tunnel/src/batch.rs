//! Packets that have arrived, written in one go: a call to the kernel for each of them costs more than their bytes.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// Packets in their order, as one run of bytes.
#[derive(Default)]
pub(super) struct Batch {
    packets: VecDeque<Bytes>,
    remaining: usize,
}

impl Batch {
    /// Adds one at the end.
    pub(super) fn push(&mut self, packet: Bytes) {
        self.remaining += packet.len();
        self.packets.push_back(packet);
    }
}

impl Buf for Batch {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.packets.front().map_or(&[], |packet| packet)
    }

    fn advance(&mut self, count: usize) {
        self.remaining -= count;
        let mut left = count;
        while let Some(first) = self.packets.front_mut() {
            if left < first.len() {
                return first.advance(left);
            }
            left -= first.len();
            self.packets.pop_front();
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut count = 0;
        for (slice, packet) in slices.iter_mut().zip(&self.packets) {
            *slice = IoSlice::new(packet);
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(packets: &[&'static str]) -> Batch {
        let mut batch = Batch::default();
        for packet in packets {
            batch.push(Bytes::from_static(packet.as_bytes()));
        }
        batch
    }

    #[test]
    fn it_can_be_taken_in_any_pieces() {
        for piece in 1..=12 {
            let (mut batch, mut taken) = (batch(&["one", "", "two", "three", ""]), Vec::new());
            while batch.has_remaining() {
                let length = batch.remaining().min(piece);
                taken.extend_from_slice(&batch.copy_to_bytes(length));
            }
            assert_eq!(taken, b"onetwothree", "{piece}");
            assert!(batch.packets.is_empty(), "{piece}");
        }
    }

    #[test]
    fn it_shows_as_many_packets_as_there_is_room_for() {
        let mut batch = batch(&["one", "two", "three"]);
        batch.advance(4);
        let mut slices = [IoSlice::new(&[]); 4];
        assert_eq!(batch.chunks_vectored(&mut slices), 2);
        assert_eq!((&*slices[0], &*slices[1]), (&b"wo"[..], &b"three"[..]));
        assert_eq!(batch.chunks_vectored(&mut slices[..1]), 1);
    }
}
