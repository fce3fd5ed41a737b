"""Poolhouse: an open, self-hosted user-identity server that speaks the Amazon Cognito user-pools API."""

__version__ = "0.1.0"
