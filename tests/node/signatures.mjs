// Keys that players sign what they say with, since 1.19, and what a server finds of their signatures.

import { createHash, createPublicKey, createVerify, generateKeyPairSync, randomBytes, verify } from 'node:crypto'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { concat } = require('minecraft-protocol/src/transforms/binaryStream')
const UUID = require('uuid-1345')

const HOUR = 3_600_000
const digest = (...fields) => createHash('sha256').update(concat(...fields)).digest()

/** A player's key. Who signed it is nobody's business here. */
export function profileKeys () {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { public: publicKey, private: privateKey, expiresOn: new Date(Date.now() + HOUR), signature: randomBytes(512), signatureV2: randomBytes(512) }
}

/** Has a client sign in every world that it comes to: the library begins a session of signed chat in the first alone. */
export function signs (client, keys, data) {
  client.profileKeys = keys
  let worlds = 0
  client.on('login', () => {
    if (worlds++ === 0 || !client._session) return
    client._session = { index: 0, uuid: UUID.v4fast() }
    client.write('chat_session_update', {
      sessionUUID: client._session.uuid,
      expireTime: BigInt(keys.expiresOn.getTime()),
      publicKey: keys.public.export({ type: 'spki', format: 'der' }),
      signature: keys.signatureV2
    })
  })
  if (data.supportFeature('chainedChatWithHashing') || data.supportFeature('useChatSessions')) {
    // A chain of messages begins anew in each world.
    client.on('login', () => { client._lastChatSignature = undefined })
  }
}

/** A server's look at what one player signs, by the UUID that it knows the player by. */
export class Signatures {
  constructor (data, uuid, key) {
    Object.assign(this, { data, uuid, key: key && createPublicKey({ key, format: 'der', type: 'spki' }) })
  }

  /** The client begins a session of signed chat. */
  begin ({ sessionUUID, publicKey }) {
    this.key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
    Object.assign(this, { session: sessionUUID, index: 0 })
  }

  /** Whether a message is signed by the player, and follows the one before. */
  holds ({ message, timestamp, salt, signature, previousMessages = [] }) {
    if (!this.key || !signature?.length) return false
    if (this.data.supportFeature('useChatSessions')) {
      if (!this.session) return false
      const signable = concat('i32', 1, 'UUID', this.uuid, 'UUID', this.session, 'i32', this.index++, 'i64', salt, 'i64', timestamp / 1000n, 'i32', Buffer.byteLength(message), 'pstring', message, 'i32', 0)
      return verify('RSA-SHA256', signable, this.key, signature)
    }
    if (!this.data.supportFeature('chainedChatWithHashing')) {
      const signable = concat('i64', salt, 'UUID', this.uuid, 'i64', timestamp / 1000n, 'pstring', JSON.stringify({ text: message }))
      return verify('RSA-SHA256', signable, this.key, signature)
    }
    const verifier = createVerify('RSA-SHA256')
    if (this.before) verifier.update(this.before)
    verifier.update(concat('UUID', this.uuid))
    verifier.update(digest('i64', salt, 'i64', timestamp / 1000n, 'pstring', message, 'i8', 70))
    this.before = signature
    return previousMessages.length === 0 && verifier.verify(this.key, signature)
  }
}
