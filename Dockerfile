# One image for guard and controller: compiled JavaScript, production packages, no shell, not root, nothing written outside /tmp and
# the audit volume. With opa and the sources of the policies, which the controller builds bundles from, the demo model, and what
# verifies a model's signature as an init container.
FROM openpolicyagent/opa:1.22.2-static AS opa

FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc tsconfig.base.json ./
COPY proxy/package.json proxy/
COPY policies/package.json policies/
COPY charts/package.json charts/
COPY infra/package.json infra/
COPY monitoring/package.json monitoring/
COPY security/package.json security/
COPY e2e/package.json e2e/
RUN npm ci --no-fund --no-audit --workspace proxy --workspace security --include-workspace-root
COPY proxy proxy
RUN PATH="$PWD/node_modules/.bin:$PATH" node proxy/build.mjs \
 && npm ci --no-fund --no-audit --omit=dev --workspace proxy --workspace security

FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /postern
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/proxy/package.json proxy/
COPY --from=build /build/proxy/dist proxy/dist
COPY proxy/demo/serve-model.ts proxy/demo/model.ts proxy/demo/model-openai.ts proxy/demo/model-anthropic.ts proxy/demo/script.ts proxy/demo/
COPY security/package.json security/
COPY security/src/model/init-container.ts security/src/model/verify.ts security/src/model/manifest.ts security/src/model/signature.ts \
     security/src/model/statement.ts security/src/model/dsse.ts security/src/model/certificate.ts security/src/model/chain.ts \
     security/src/model/extensions.ts security/src/model/keyless.ts security/src/model/trust.ts security/src/model/content.ts \
     security/src/model/
COPY policies policies
COPY --from=opa /opa /usr/bin/opa
USER 65532:65532
EXPOSE 8080 8081
# Nothing in the pod may open a debugger by a signal. In a container of 512 MiB or less V8 collects garbage from 1 MiB of young
# objects, which doubles the processor time of a request under load: 16 MiB do without that.
ENTRYPOINT ["/nodejs/bin/node", "--disable-sigusr1", "--max-semi-space-size=16", "proxy/dist/cli.js"]
CMD ["serve", "/etc/postern/postern.yaml"]
