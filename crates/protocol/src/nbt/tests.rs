use proptest::prelude::*;

use super::*;

/// Enough for everything here.
const BUDGET: usize = 1 << 20;

fn written(tag: &Tag) -> Vec<u8> {
    let mut out = Vec::new();
    tag.write(&mut out);
    out
}

/// The wiki's `hello_world.nbt` without the root's name, as the network has it.
#[test]
fn hello_world_is_as_on_the_wiki() {
    let bytes = b"\x0a\x08\x00\x04name\x00\x09Bananrama\x00";
    let tag = Tag::Compound(vec![("name".to_owned(), Tag::String("Bananrama".to_owned()))]);
    assert_eq!(written(&tag), bytes);
    assert_eq!(read(bytes, BUDGET), Ok((tag, bytes.len())));
}

#[test]
fn bytes_behind_the_root_are_left() {
    let bytes = [kind::SHORT, 1, 2, 99, 99];
    assert_eq!(read(&bytes, BUDGET), Ok((Tag::Short(0x0102), 3)));
    assert_eq!(skip(&bytes), Ok(3));
}

#[test]
fn mixed_lists_are_wrapped() {
    let list = Tag::List(vec![Tag::Byte(1), Tag::Compound(vec![])]);
    let wrapped = Tag::List(vec![Tag::Compound(vec![(String::new(), Tag::Byte(1))]), Tag::Compound(vec![])]);
    assert_eq!(read(&written(&list), BUDGET).unwrap().0, wrapped);
}

#[test]
fn of_two_fields_the_later_counts() {
    let tag = Tag::Compound(vec![("a".to_owned(), Tag::Byte(1)), ("a".to_owned(), Tag::Byte(2))]);
    assert_eq!(tag.get("a"), Some(&Tag::Byte(2)));
    assert_eq!(tag.get("b"), None);
}

#[test]
fn impossible_claims_are_refused() {
    let both = |bytes: &[u8]| {
        let error = read(bytes, BUDGET).unwrap_err();
        assert_eq!(skip(bytes), Err(error));
        error
    };
    assert_eq!(both(&[]), NbtError::Truncated);
    assert_eq!(both(&[0]), NbtError::Kind(0));
    assert_eq!(both(&[13, 0, 0]), NbtError::Kind(13));
    assert_eq!(both(&[kind::LIST, 0, 0x7f, 0xff, 0xff, 0xff]), NbtError::Length(i32::MAX));
    assert_eq!(both(&[kind::LIST, 1, 0xff, 0xff, 0xff, 0xff]), NbtError::Length(-1));
    assert_eq!(both(&[kind::LIST, 1, 0x7f, 0xff, 0xff, 0xff]), NbtError::Truncated);
    assert_eq!(both(&[kind::LIST, 10, 0x7f, 0xff, 0xff, 0xff]), NbtError::Truncated);
    assert_eq!(both(&[kind::LONG_ARRAY, 0x7f, 0xff, 0xff, 0xff]), NbtError::Truncated);
    assert_eq!(both(&[kind::STRING, 0, 2, b'a']), NbtError::Truncated);
    assert_eq!(read(&[kind::STRING, 0, 1, 0xff], BUDGET), Err(NbtError::Text));
}

#[test]
fn depth_and_memory_are_bounded() {
    let nested = |depth: usize| -> Vec<u8> {
        let mut bytes = vec![kind::LIST];
        for _ in 1..depth {
            bytes.extend([kind::LIST, 0, 0, 0, 1]);
        }
        bytes.extend([kind::END, 0, 0, 0, 0]);
        bytes
    };
    assert!(read(&nested(MAX_DEPTH), BUDGET).is_ok());
    assert_eq!(skip(&nested(MAX_DEPTH)), Ok(1 + 5 * MAX_DEPTH));
    assert_eq!(read(&nested(MAX_DEPTH + 1), BUDGET), Err(NbtError::Depth));
    assert_eq!(skip(&nested(MAX_DEPTH + 1)), Err(NbtError::Depth));

    let mut bytes = vec![kind::LIST, kind::BYTE, 0, 1, 0, 0];
    bytes.resize(bytes.len() + 65_536, 0);
    assert_eq!(read(&bytes, BUDGET), Err(NbtError::Budget));
    assert_eq!(skip(&bytes), Ok(bytes.len()));
}

fn tags() -> impl Strategy<Value = Tag> {
    let leaf = prop_oneof![
        any::<i8>().prop_map(Tag::Byte),
        any::<i16>().prop_map(Tag::Short),
        any::<i32>().prop_map(Tag::Int),
        any::<i64>().prop_map(Tag::Long),
        prop::num::f32::NORMAL.prop_map(Tag::Float),
        prop::num::f64::NORMAL.prop_map(Tag::Double),
        prop::collection::vec(any::<u8>(), 0..8).prop_map(Tag::ByteArray),
        any::<String>().prop_map(Tag::String),
        prop::collection::vec(any::<i32>(), 0..8).prop_map(Tag::IntArray),
        prop::collection::vec(any::<i64>(), 0..8).prop_map(Tag::LongArray),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            // A list of one type, got by repeating one tag.
            (inner.clone(), 0usize..4).prop_map(|(tag, count)| Tag::List(vec![tag; count])),
            prop::collection::vec((any::<String>(), inner), 0..6).prop_map(Tag::Compound),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(tag in tags()) {
        let bytes = written(&tag);
        prop_assert_eq!(skip(&bytes), Ok(bytes.len()));
        prop_assert_eq!(read(&bytes, BUDGET), Ok((tag, bytes.len())));
    }

    #[test]
    fn what_is_cut_is_truncated(tag in tags(), at: prop::sample::Index) {
        let bytes = written(&tag);
        let cut = &bytes[..at.index(bytes.len())];
        prop_assert_eq!(read(cut, BUDGET), Err(NbtError::Truncated));
        prop_assert_eq!(skip(cut), Err(NbtError::Truncated));
    }

    #[test]
    fn no_bytes_panic_or_are_read_beyond(bytes in prop::collection::vec(prop_oneof![0u8..13, any::<u8>()], 0..200)) {
        if let Ok((tag, length)) = read(&bytes, BUDGET) {
            prop_assert!(length <= bytes.len());
            prop_assert_eq!(skip(&bytes), Ok(length));
            drop(tag);
        }
    }
}
