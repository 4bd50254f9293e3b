/** C's isspace in the "C" locale: space, \t, \n, \v, \f, \r. */
export const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13)
