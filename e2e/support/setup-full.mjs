import { setUpFull } from './clusters.ts'

export default setUpFull
