"""Function URLs: the cheap front. Open, or for IAM principals of the account; nothing throttles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_aws as aws

from cutover_infra.component import Component
from cutover_infra.metrics import of_function
from cutover_infra.settings import Auth

if TYPE_CHECKING:
    import pulumi

    from cutover_infra.component import Deployment
    from cutover_infra.front import Backends
    from cutover_infra.functions import Function


class FunctionUrls(Component):
    """One URL for each of the two functions. With IAM, the dashboard's files need credentials too."""

    def __init__(self, side: str, deployment: Deployment, owner: Component, backends: Backends) -> None:
        """Make the URLs, and, where anyone may call, the permissions that say so."""
        super().__init__("front:FunctionUrls", side, deployment, owner, cost_center=f"{side}-front")
        self._open = deployment.settings.auth is Auth.NONE
        self.ingest_url = self._make_url(backends.ingest)
        self.serve_url = self._make_url(backends.serve)
        self.failures = of_function(backends.ingest.name, "Url5xxCount")
        self.register_outputs({"ingest_url": self.ingest_url, "serve_url": self.serve_url})

    def _make_url(self, target: Function) -> pulumi.Output[str]:
        url = aws.lambda_.FunctionUrl(
            target.thing,
            function_name=target.function.name,
            authorization_type="NONE" if self._open else "AWS_IAM",
            opts=self.child(),
        )
        if self._open:
            self._admit_anyone(target)
        return url.function_url

    def _admit_anyone(self, target: Function) -> None:
        """Grant the two actions that a public URL takes; neither allows a direct invocation."""
        aws.lambda_.Permission(
            f"{target.thing}-url",
            function=target.function.name,
            action="lambda:InvokeFunctionUrl",
            principal="*",
            function_url_auth_type="NONE",
            opts=self.child(),
        )
        aws.lambda_.Permission(
            f"{target.thing}-through-url",
            function=target.function.name,
            action="lambda:InvokeFunction",
            principal="*",
            invoked_via_function_url=True,
            opts=self.child(),
        )
