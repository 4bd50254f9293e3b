import * as twotower from 'twotower'
import * as search from 'twotower/search'
import { runCases } from '../cases.mjs'

/** The cases where a browser runs this script. */
export const runHere = () =>
  runCases({ twotower, search, data: location.origin, page: true, storage: navigator.storage, strict: true })
