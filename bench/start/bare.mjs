// The runtime alone.
import { finished } from './finished.mjs'

finished([0])
