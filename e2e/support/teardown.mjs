import { tearDown } from './clusters.ts'

export default tearDown
