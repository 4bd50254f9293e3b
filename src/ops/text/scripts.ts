/** Scripts by ICU's UScriptCode: the place in the list is the code. Those after Unicode 13 TensorFlow does not know. */
const CODES = `
  Zyyy Zinh Arab Armn Beng Bopo Cher Copt Cyrl Dsrt Deva Ethi Geor Goth Grek Gujr Guru Hani Hang Hebr Hira Knda
  Kana Khmr Laoo Latn Mlym Mong Mymr Ogam Ital Orya Runr Sinh Syrc Taml Telu Thaa Thai Tibt Cans Yiii Tglg Hano
  Buhd Tagb Brai Cprt Limb Linb Osma Shaw Tale Ugar - Bugi Glag Khar Sylo Talu Tfng Xpeo Bali Batk - Brah Cham - -
  - - Egyp - - - Hmng Hung - Java Kali - - Lepc Lina Mand - Mero Nkoo Orkh Perm Phag Phnx Plrd - - - - - - Vaii -
  Xsux - - Cari - Lana Lyci Lydi Olck Rjng Saur Sgnw Sund - Mtei Armi Avst Cakm - Kthi Mani Phli Phlp - Prti Samr
  Tavt - - Bamu Lisu - Sarb Bass Dupl Elba Gran - - Mend Merc Narb Nbat Palm Sind Wara - - Mroo Nshu Shrd Sora
  Takr Tang - Hluw Khoj Tirh Aghb Mahj Ahom Hatr Modi Mult Pauc Sidd Adlm Bhks Marc Newa Osge - - - Gonm Soyo Zanb
  Dogr Gong Maka Medf Rohg Sogd Sogo Elym Hmnp Nand Wcho Chrs Diak Kits Yezi
`

/** UScriptCode of characters whose script is not known, and of what is no code point. */
const UNKNOWN = 103
const INVALID_CODE = -1

interface Script {
  readonly code: number
  readonly holds: RegExp
}

/** Scripts of the list that this engine knows. */
function known(): Script[] {
  const found: Script[] = []
  CODES.trim()
    .split(/\s+/)
    .forEach((name, code) => {
      if (name === '-') return
      try {
        found.push({ code, holds: new RegExp(`^\\p{Script=${name}}$`, 'u') })
      } catch {
        // An engine of an older Unicode: it knows no characters of the script either.
      }
    })
  return found
}

let scripts: Script[] | null = null
/** By code point of the basic plane: the script's code plus 1, or 0 where it was not asked for yet. */
let cache: Uint8Array | null = null

/** ICU's uscript_getScript: a UScriptCode, 0 for characters common to scripts, 25 for Latin; -1 for what is no code point. */
export function scriptOf(code: number): number {
  if (code < 0 || code > 0x10ffff) return INVALID_CODE
  if (code > 0xffff) return search(code)
  cache ??= new Uint8Array(0x10000)
  if (cache[code] === 0) cache[code] = search(code) + 1
  return cache[code] - 1
}

function search(code: number): number {
  scripts ??= known()
  const character = String.fromCodePoint(code)
  const at = scripts.findIndex(({ holds }) => holds.test(character))
  if (at < 0) return UNKNOWN
  // Text stays in its script: the one found last is asked first.
  const [script] = scripts.splice(at, 1)
  scripts.unshift(script)
  return script.code
}
