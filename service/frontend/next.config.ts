import type { NextConfig } from "next";

// What the running server never needs; leaving it out of the traced files halves the image.
const neverNeededAtRunTime = [
  "node_modules/@img/**/*",
  "node_modules/sharp/**/*",
  "node_modules/typescript/**/*",
  "node_modules/@typescript/**/*",
  "node_modules/@swc/core*/**/*",
  "node_modules/@next/swc-*/**/*",
  "node_modules/axe-core/**/*",
  "node_modules/lightningcss*/**/*",
  "node_modules/@tailwindcss/**/*",
  "node_modules/next/dist/docs/**/*",
  "node_modules/caniuse-lite/data/features/**/*",
  "node_modules/caniuse-lite/data/regions/**/*",
];

const configuration: NextConfig = {
  output: "standalone",
  poweredByHeader: false,
  reactStrictMode: true,
  images: { unoptimized: true },
  outputFileTracingRoot: __dirname,
  outputFileTracingExcludes: { "*": neverNeededAtRunTime },
  // One prerendered chat page serves every conversation; the page reads the id from the address.
  // Prerendered pages have fixed inline scripts, so the content security policy can list their hashes.
  rewrites: async () => [{ source: "/chat/:conversation", destination: "/chat" }],
};

export default configuration;
