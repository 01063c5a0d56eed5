"""What score files written for Azure ML Model Management import as `azureml`, and a way to run such a file by hand.

Scorers put the folder `packages` on `sys.path` after the user's packages, so that an `azureml` of the user's own wins.
`azureml` and `azureml/api` have no `__init__.py`: they are namespaces, which other packages may share.
"""
