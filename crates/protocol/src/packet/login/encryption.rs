//! How a connection comes to be encrypted: the server's key, and the secret that the client has chosen.

use crate::ids::{Direction, Kind, State};
use crate::packet::Packet;
use crate::version::ProtocolVersion;
use crate::wire::{DecodeError, Decoder, Encoder};

/// The longest result of an RSA operation that is read, in bytes: that of a 4,096-bit key.
pub(super) const RSA_BLOCK: usize = 512;

/// Encryption Request (`encryption_begin`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptionRequest {
    /// Goes into the server hash; empty since 1.7.
    pub server_id: String,
    /// The server's public key, an X.509 SubjectPublicKeyInfo in DER.
    pub public_key: Vec<u8>,
    /// Random bytes that the client returns encrypted.
    pub verify_token: Vec<u8>,
    /// Whether the client is to tell the session server that it joins (since 766; before it always does).
    pub should_authenticate: bool,
}

impl Packet for EncryptionRequest {
    const STATE: State = State::Login;
    const DIRECTION: Direction = Direction::Clientbound;
    const KIND: Kind = Kind::EncryptionBegin;

    fn encode(&self, version: ProtocolVersion, out: &mut Encoder<'_>) {
        out.string(&self.server_id);
        write_array(version, &self.public_key, out);
        write_array(version, &self.verify_token, out);
        if version.has_transfer() {
            out.bool(self.should_authenticate);
        }
    }

    fn decode(version: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            server_id: fields.string("server id", 20)?.to_owned(),
            public_key: read_array(version, "public key", RSA_BLOCK * 2, fields)?,
            verify_token: read_array(version, "verify token", RSA_BLOCK, fields)?,
            should_authenticate: !version.has_transfer() || fields.bool("should authenticate")?,
        })
    }
}

/// Encryption Response (`encryption_begin`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptionResponse {
    /// The shared secret, encrypted to the server's public key.
    pub shared_secret: Vec<u8>,
    /// What shows that the client has got the verify token.
    pub token: TokenProof,
}

/// How a client shows that it has got the verify token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenProof {
    /// It returns it, encrypted to the server's public key.
    Encrypted(Vec<u8>),
    /// It signs it, and the salt, with the key of its Login Start, in 759 and 760.
    Signed {
        /// Stands behind the token in what is signed.
        salt: i64,
        /// SHA-256 with RSA.
        signature: Vec<u8>,
    },
}

impl Packet for EncryptionResponse {
    const STATE: State = State::Login;
    const DIRECTION: Direction = Direction::Serverbound;
    const KIND: Kind = Kind::EncryptionBegin;

    /// A signature is written where the version has none as the token that it is none of: nobody takes it.
    fn encode(&self, version: ProtocolVersion, out: &mut Encoder<'_>) {
        write_array(version, &self.shared_secret, out);
        let signed = version.has_key_in_login();
        match &self.token {
            TokenProof::Signed { salt, signature } if signed => {
                out.bool(false);
                out.i64(*salt);
                out.byte_array(signature);
            }
            TokenProof::Encrypted(token) | TokenProof::Signed { signature: token, .. } => {
                if signed {
                    out.bool(true);
                }
                write_array(version, token, out);
            }
        }
    }

    fn decode(version: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let shared_secret = read_array(version, "shared secret", RSA_BLOCK, fields)?;
        let token = if version.has_key_in_login() && !fields.bool("has verify token")? {
            let salt = fields.i64("salt")?;
            TokenProof::Signed { salt, signature: fields.byte_array("signature", RSA_BLOCK)?.to_vec() }
        } else {
            TokenProof::Encrypted(read_array(version, "verify token", RSA_BLOCK, fields)?)
        };
        Ok(Self { shared_secret, token })
    }
}

/// An array of login's: its length has 16 bits before 47.
fn write_array(version: ProtocolVersion, array: &[u8], out: &mut Encoder<'_>) {
    if version.has_short_arrays() {
        // Longer ones are cut, which nobody takes either: what is read is at most 1,024 bytes long.
        let length = u16::try_from(array.len()).unwrap_or(u16::MAX);
        out.u16(length);
        out.bytes(&array[..length.into()]);
    } else {
        out.byte_array(array);
    }
}

fn read_array(
    version: ProtocolVersion,
    field: &'static str,
    bound: usize,
    fields: &mut Decoder<'_>,
) -> Result<Vec<u8>, DecodeError> {
    if !version.has_short_arrays() {
        return Ok(fields.byte_array(field, bound)?.to_vec());
    }
    let length = usize::from(fields.u16(field)?);
    if length > bound {
        return Err(DecodeError::Length { field, length: length as i64, bound });
    }
    Ok(fields.bytes(field, length)?.to_vec())
}
