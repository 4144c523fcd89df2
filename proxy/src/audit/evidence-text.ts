/** What stands in a bundle for its reader. Each indented block is a shell command, to be run where the archive was unpacked. */
export const howToVerify = (ofTenant: boolean): string => `EVIDENCE FROM THE AUDIT LOG OF POSTERN

manifest.json says which time, which lines, and whether any are missing ("gaps": [] means none).
audit.jsonl holds the lines, byte for byte as the guard wrote them. They hold no content: places, lengths and hashes.
What the lines mean: audit.schema.json of Postern, and docs/audit.md.

You need openssl (3.0 or newer), sha256sum, and a shell (bash). No part of Postern is needed.

1. Who made this bundle. Compare the key with one that you got another way:

    openssl pkey -pubin -in signer.pub -text -noout

2. Nothing in the bundle was changed since. Both must say "Signature Verified Successfully", and every file "OK":

    openssl pkeyutl -verify -pubin -inkey signer.pub -rawin -in manifest.json -sigfile manifest.json.sig
    openssl pkeyutl -verify -pubin -inkey signer.pub -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig
    sha256sum --strict -c SHA256SUMS

3. The guard wrote the lines. Its last signed line vouches for all lines before it; keys/ has the public keys of
   the guard, which you should compare too:

    signed=$(grep -E '^\\{"v":1,"seq":[0-9]+,"type":"(open|checkpoint|rotate|close|retention)"' audit.jsonl | tail -n 1)
    body=\${signed%,\\"signature\\":*}
    key=$(printf '%s' "$body" | tail -c 17 | head -c 16)
    printf 'postern audit line 1\\n%s' "$body" > signed.msg
    printf '%s' "$signed" | sed 's/.*"signature":"\\([^"]*\\)"}$/\\1/' | base64 -d > signed.sig
    openssl pkeyutl -verify -pubin -inkey "keys/$key.pub" -rawin -in signed.msg -sigfile signed.sig

${ofTenant ? CHAIN_OF_TENANT : CHAIN}
WHAT THIS PROVES, AND WHAT IT DOES NOT

${ofTenant ? PROVES_OF_TENANT : PROVES}
- Whoever holds the guard's private key can write another history. Who keeps that key, and whether the lines were also
  shipped elsewhere as they were written, is for you to ask.
- Times are those of the guard's clock.
- captures.jsonl, where it is there, is encrypted to an auditor. A text in it belongs to an exchange when the record
  names the SHA-256 of its line as "capture".
`

const CHAIN = `4. The lines are a chain: each has the SHA-256 of the one before. It says "chain holds", after about a
   millisecond a line:

    while IFS= read -r line; do
      prev=$(printf '%s' "$line" | grep -oE -m 1 '"prev":"[0-9a-f]{64}"' | head -n 1 | cut -d '"' -f 4)
      [ -z "\${hash:-}" ] || [ "$prev" = "$hash" ] || { echo "broken before: $line"; exit 1; }
      hash=$(printf '%s' "$line" | sha256sum | cut -d ' ' -f 1)
    done < audit.jsonl
    echo 'chain holds'
`

const CHAIN_OF_TENANT = `4. The lines are where hashes.txt says: each row is a line of the log, its number, its SHA-256, and whether it is
   kept here or withheld. Each kept line has its own hash there, and names the hash of the row before:

    exec 3< audit.jsonl
    while read -r seq sum what; do
      if [ "$what" = kept ]; then
        IFS= read -r line <&3
        prev=$(printf '%s' "$line" | grep -oE -m 1 '"prev":"[0-9a-f]{64}"' | head -n 1 | cut -d '"' -f 4)
        [ -z "\${hash:-}" ] || [ "$prev" = "$hash" ] || { echo "broken at $seq"; exit 1; }
        [ "$(printf '%s' "$line" | sha256sum | cut -d ' ' -f 1)" = "$sum" ] || { echo "changed: $seq"; exit 1; }
      fi
      hash=$sum
    done < hashes.txt
    echo 'lines are where hashes.txt says'
`

const PROVES = `- Step 3 and 4 together: the guard wrote these lines, in this order, and none between the first and the last signed
  one is missing. The first line's "prev" ties it to the line before, which is not here.
- Lines after the last signed one (manifest.json: coverage.signed_to) are chained, and not signed by the guard.
- Lines that do not exist cannot be missed: traffic that never went through a guard left none.
`

const PROVES_OF_TENANT = `This bundle holds the lines of one tenant only. The lines of others are withheld, and only their hashes are given.
- Step 2: who made the bundle stands for it that the log has exactly the rows of hashes.txt, and that every line of the
  tenant is here.
- Step 3 and 4: the lines that are here were not changed since hashes.txt was made, and a signed line vouches for the
  row right before it.
- What is NOT proven by this bundle alone: that a kept line followed by a withheld one is what the guard wrote, because
  the withheld line, which has its hash, cannot be shown. The hashes bind the maker: whoever may see the whole log can
  compare every row with it.
`
