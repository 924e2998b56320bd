/** Pure models only: what needs a browser is tested in one (tests/browser). */
module.exports = {
  testEnvironment: 'node',
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: { '\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.test.json' }] }
};
