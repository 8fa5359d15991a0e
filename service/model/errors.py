"""Errors of preparing and starting the model. Each message is one sentence that says what to do.

ModelSetupError
├── ModelPackageError       the packaged weights, or what converts them, are not installed or not readable
├── AdapterError            the adapter directory is not a LoRA adapter for this base model
├── AdapterMismatchError    the adapter was trained with another template or prompt
├── ModelEnvironmentError   the model server's environment does not exist
├── ModelNotPreparedError   no model has been prepared for the server
├── ModelStorageError       the prepared model could not be written
└── PortInUseError          another process listens on the port
"""

from __future__ import annotations


class ModelSetupError(Exception):
    """Base of everything raised on purpose while a model is prepared or started."""

    code = "model_setup_error"


class ModelPackageError(ModelSetupError):
    """The packaged weights, or what converts them, are not installed or not readable."""

    code = "model_package_missing"


class AdapterError(ModelSetupError):
    """The adapter directory is not a LoRA adapter for this base model."""

    code = "adapter_invalid"


class AdapterMismatchError(ModelSetupError):
    """The adapter was trained with another template or prompt."""

    code = "adapter_mismatch"


class ModelEnvironmentError(ModelSetupError):
    """The model server's environment does not exist."""

    code = "model_environment_missing"


class ModelNotPreparedError(ModelSetupError):
    """No model has been prepared for the server."""

    code = "model_not_prepared"


class ModelStorageError(ModelSetupError):
    """The prepared model could not be written."""

    code = "model_storage"


class PortInUseError(ModelSetupError):
    """Another process listens on the port."""

    code = "port_in_use"
