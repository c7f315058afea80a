//! Files that look like a vault's from outside.

/// A file with the public prefix of a vault; the rest is filler that a partial write would show.
pub(crate) fn image(generation: u64, mac: u8) -> Vec<u8> {
    let mut fields = Vec::new();
    for (tag, value) in [(0x8001u16, &[7; 16][..]), (0x8002, &generation.to_be_bytes()), (0x8004, &[1; 46])] {
        fields.extend_from_slice(&tag.to_be_bytes());
        fields.extend_from_slice(&u32::try_from(value.len()).unwrap().to_be_bytes());
        fields.extend_from_slice(value);
    }
    let len = u32::try_from(fields.len()).unwrap().to_be_bytes();
    [b"SRVAULT\0", &[0, 1, 0, 0][..], &len, &fields, &[mac; 32], &[mac; 500]].concat()
}
