//! Where the keys of an open vault lie in a process that reserved memory for them: nowhere that `/proc/self/mem` shows.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects by unwrapping it")]
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use strongroom_model::Timestamp;
use strongroom_signer::arena::reserve_for_keys;
use strongroom_signer::stack::{self, Depth};
use strongroom_vault::{Entropy, EntropyError, Factors, KdfParams, Kit, NewVault, SystemEntropy, Vault};

const KEY_LEN: usize = 32;
const PASSWORD: &[u8] = b"correct horse battery staple";
const DEVICE: [u8; 32] = [7; 32];
const CHUNK: usize = 1 << 20;

/// Bytes that can be worked out one by one, so that no key ever lies together anywhere but where it was put.
fn byte_of(call: usize, at: usize) -> u8 {
    let mixed = (call as u64 * 1_000 + at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).to_be_bytes()[1]
}

#[derive(Default)]
struct Planted {
    calls: usize,
    keys: Vec<usize>,
}

impl Entropy for Planted {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        self.calls += 1;
        if out.len() == KEY_LEN {
            self.keys.push(self.calls);
        }
        out.iter_mut().enumerate().for_each(|(at, byte)| *byte = byte_of(self.calls, at));
        Ok(())
    }
}

/// How often the bytes of `call` lie in this process's memory.
fn found(call: usize, buffer: &mut [u8]) -> usize {
    let own = buffer.as_ptr_range();
    let own = own.start as usize..own.end as usize;
    let mut maps = String::new();
    File::open("/proc/self/maps").unwrap().read_to_string(&mut maps).unwrap();
    let mut memory = File::open("/proc/self/mem").unwrap();
    let mut count = 0;
    for line in maps.lines().filter(|line| !line.contains("[vvar") && !line.contains("[vsyscall")) {
        let (range, rest) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let (start, end) = (usize::from_str_radix(start, 16).unwrap(), usize::from_str_radix(end, 16).unwrap());
        if !rest.starts_with('r') {
            continue;
        }
        let mut at = start;
        while at < end {
            let len = buffer.len().min(end - at);
            memory.seek(SeekFrom::Start(at as u64)).unwrap();
            if memory.read_exact(&mut buffer[..len]).is_ok() {
                let is_it = |window: &[u8]| window.iter().enumerate().all(|(place, byte)| *byte == byte_of(call, place));
                let hits = buffer[..len].windows(KEY_LEN).enumerate().filter(|(_, window)| is_it(window));
                count += hits.filter(|(place, _)| !own.contains(&(at + place))).count();
            }
            at += if len > KEY_LEN && at + len < end { len - KEY_LEN } else { len };
        }
    }
    buffer.fill(0);
    count
}

#[test]
fn keys_of_a_vault_are_in_reserved_memory_alone() {
    let mut entropy = Planted::default();
    let kit = Kit::make(&mut SystemEntropy).unwrap();
    let spec = NewVault { vault_id: [7; 16], kdf: KdfParams::FLOOR, at: Timestamp::from_ms(0) };
    let mut buffer = vec![0; CHUNK];
    let mut before = None;
    stack::wiped(|| {
        before = Some(Vault::create(spec, PASSWORD, &DEVICE, &kit, &mut entropy).unwrap());
        ((), Depth::Anything)
    });
    // The salt of the key derivation is no key, and stands in the file; header, root and the log's key come after it.
    let keys = entropy.keys[1..4].to_vec();
    let file = before.as_ref().unwrap().first_image().bytes().to_vec();
    assert!(!before.as_ref().unwrap().keys_are_kept());
    for call in &keys {
        assert_eq!(found(*call, &mut buffer), 1, "the control: on the heap it is found");
    }
    drop(before);
    for call in &keys {
        assert_eq!(found(*call, &mut buffer), 0, "and wiped with its vault");
    }

    assert!(reserve_for_keys(), "this kernel has neither memfd_secret nor room for locked memory");
    let mut open = None;
    stack::wiped(|| {
        open = Some(Vault::open(&file, Factors::Password { password: PASSWORD, device: &DEVICE }).unwrap());
        ((), Depth::Anything)
    });
    assert!(open.as_ref().unwrap().keys_are_kept());
    // Locked memory, where there is no memfd_secret, can be read through the process's own file.
    let is_hidden = std::fs::read_to_string("/proc/self/maps").unwrap().contains("secretmem");
    for call in &keys {
        let count = found(*call, &mut buffer);
        assert!(count == 0 || (!is_hidden && count == 1), "{count} copies");
    }

    // Many at once find room, or say that they did not; all of them open.
    let open_again = || Vault::open(&file, Factors::Kit(&kit)).unwrap();
    let many: Vec<Vault> = std::iter::repeat_with(open_again).take(16).collect();
    assert!(many[0].keys_are_kept() && !many[15].keys_are_kept());
    drop(many);
    assert!(open_again().keys_are_kept());
}
