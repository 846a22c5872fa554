module.exports = { testEnvironment: 'node', testMatch: ['**/*.spec.cjs'], transform: {} };
