//! NBT.
//!
//! What must hold: what is read is written to bytes that read as the same, and written again to the same bytes; stepping over takes as many bytes as
//! reading; memory stays within the budget.

use crate::{Input, memory};
use drawbridge_protocol::nbt::{self, NbtError, Tag};

/// See the module.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let budget = 64 * usize::from(input.byte()).pow(2);
    let bytes = input.rest();
    // Growing vectors have twice the room that they need, and their old room while they grow.
    let read = memory::within(4 * budget + 4_096, || nbt::read(bytes, budget));
    let skipped = nbt::skip(bytes);
    match read {
        Ok((tag, length)) => {
            assert_eq!(skipped, Ok(length), "stepped over");
            again(&tag);
        }
        // Strings aren't looked into by who steps over.
        Err(NbtError::Budget | NbtError::Text) => {}
        Err(error) => assert_eq!(skipped, Err(error), "stepped over"),
    }
    if let Some((&kind, content)) = bytes.split_first() {
        let named = [&[kind, 0, 1, b'a'], content].concat();
        assert_eq!(nbt::skip_named(&named), skipped.map(|length| length + 3), "with a name");
    }
}

fn again(tag: &Tag) {
    let mut written = Vec::new();
    tag.write(&mut written);
    let (back, length) = nbt::read(&written, usize::MAX >> 1).expect("what was written is read");
    assert_eq!(length, written.len());
    let mut twice = Vec::new();
    back.write(&mut twice);
    // Bytes, since a NaN isn't equal to itself.
    assert_eq!(twice, written);
}

/// Each type of tag.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let each = vec![
        ("b".to_owned(), Tag::Byte(1)),
        ("s".to_owned(), Tag::Short(2)),
        ("i".to_owned(), Tag::Int(3)),
        ("l".to_owned(), Tag::Long(4)),
        ("f".to_owned(), Tag::Float(5.0)),
        ("d".to_owned(), Tag::Double(6.0)),
        ("B".to_owned(), Tag::ByteArray(vec![7; 3])),
        ("t".to_owned(), Tag::String("text \u{0}\u{e9}\u{1f600}".to_owned())),
        ("L".to_owned(), Tag::List(vec![Tag::Int(1), Tag::Int(2)])),
        ("M".to_owned(), Tag::List(vec![Tag::Int(1), Tag::String("x".to_owned())])),
        ("I".to_owned(), Tag::IntArray(vec![8; 2])),
        ("J".to_owned(), Tag::LongArray(vec![9; 2])),
    ];
    let mut tags: Vec<_> = each.iter().map(|(_, tag)| tag.clone()).collect();
    tags.push(Tag::Compound(each));
    let seed = |tag: &Tag| {
        let mut seed = vec![100];
        tag.write(&mut seed);
        seed
    };
    let mut seeds: Vec<_> = tags.iter().map(seed).collect();
    let vectors = crate::vectors::all().into_iter().filter(|vector| vector.version.has_nbt_text());
    seeds.extend(
        vectors
            .filter(|vector| vector.fields.first() == Some(&10))
            .map(|vector| [&[255], &vector.fields[..]].concat()),
    );
    seeds
}
