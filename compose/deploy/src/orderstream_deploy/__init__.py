"""Deploys a stage of Orderstream to AWS: ``./run deploy``."""
