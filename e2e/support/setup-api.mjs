import { setUpApi } from './clusters.ts'

export default setUpApi
