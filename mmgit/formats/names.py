"""What an import by a pickle means: needed by models and harmless, known to run what it is told, or neither.

Names are `module:name`. The standard library and the packages that models are made of are known: of these only what is
listed here is harmless. What other packages offer is named to people, and not judged.
"""

import re
import sys
from functools import cache
from typing import Literal

from mmgit.formats.values import LAYERS_OF_CODE

Verdict = Literal["harmless", "unknown", "dangerous"]

_NAMES = r"""
builtins:(bool|bytearray|bytes|complex|dict|float|frozenset|int|list|object|range|set|slice|str|tuple|Ellipsis)
builtins:(NoneType|NotImplemented)
collections:(Counter|OrderedDict|defaultdict|deque)
copyreg:(_reconstructor|__newobj__)
_codecs:encode
datetime:(date|datetime|time|timedelta|timezone)
decimal:Decimal
fractions:Fraction
functools:partial
numbers:[A-Z]\w+
pathlib(\._local)?:(Pure)?(Posix|Windows)?Path
random:Random
types:SimpleNamespace
uuid:(UUID|SafeUUID)

joblib\.numpy_pickle:NumpyArrayWrapper
numpy:(dtype|ndarray|matrix|memmap|recarray|bool_?|u?int(8|16|32|64|c|p)|float(16|32|64)|longdouble|complex(64|128))
numpy:(str_|bytes_|void|object_|datetime64|timedelta64|u?longlong|u?short|u?byte|half|single|double|u?long|intc|uintc)
numpy:(nan|inf|mean|median|std|var|sum|min|max|log|log1p|log10|log2|exp|expm1|sqrt|abs|absolute|square|identity)
numpy\.dtypes:[A-Z]\w+DType
numpy\._?core\.multiarray:(_reconstruct|scalar)
numpy\._?core\.numeric:_frombuffer
numpy\.ma(\.core)?:(_mareconstruct|MaskedArray|masked_array)
numpy\.random(\._pickle)?:(RandomState|Generator|__(randomstate|bit_generator|generator)_ctor)
numpy\.random\._\w+:(__pyx_unpickle_\w+|[A-Z]\w+)
numpy\.random\.mtrand:RandomState
numpy\.random\.bit_generator:(SeedSequence|__pyx_unpickle_\w+)
scipy\.sparse(\._?\w+)?:(bsr|coo|csc|csr|dia|dok|lil)_(array|matrix)
scipy\.stats\._(continuous|discrete)_distns:\w+_gen
scipy\.stats\._distn_infrastructure:rv_(continuous_frozen|discrete_frozen|frozen)
scipy\.interpolate\._\w+:[A-Z]\w+
scipy\.spatial\.?\w*:(cKDTree|KDTree)
scipy\.special\._ufuncs:(expit|logit)
pandas\.core\.(frame:DataFrame|series:Series)
pandas\.core\.internals\.managers:(Single)?BlockManager
pandas\.core\.internals\.blocks:new_block
pandas\.core\.indexes\.base:_new_Index
pandas\.core\.indexes\.datetimes:_new_DatetimeIndex
pandas\.core\.indexes\.\w+:\w*Index
pandas\.core\.arrays\.\w+:([A-Z]\w*(Array|Dtype)|Categorical)
pandas\.core\.arrays\.categorical:Categorical
pandas\.core\.dtypes\.dtypes:\w+Dtype
pandas\._libs\.(internals:_unpickle_block|arrays:__pyx_unpickle_NDArrayBacked)
pandas\._libs\.tslibs\.\w+:(_unpickle_timestamp|_timedelta_unpickle|[A-Z]\w+)
pandas\._libs\.missing:NAType
pandas:(DataFrame|Series|Categorical|Timestamp|Timedelta|Period|Interval|\w*Index|\w*Dtype)
pandas\.arrays:\w+Array
pyarrow\.lib:(_restore_array|type_for_alias|py_buffer|(?!\w*Extension)[A-Z]\w*(Array|Type|Scalar|Batch|Buffer|Metadata))
pyarrow\.lib:(Field|Schema|Table)
sklearn(\.(?!(callback|datasets|externals|utils|conftest)\b)\w+)*:(_?[A-Z]\w*|newObj|__pyx_unpickle_\w+)
sklearn\.utils\.(_bunch:Bunch|_metadata_requests:(Method)?MetadataRequest|_tags:\w*Tags|deprecation:deprecated)
sklearn\.(utils:Bunch|utils\.(murmurhash|_random|_fast_dict):[A-Z]\w*)
sklearn\.(metrics(\._\w+)?:\w+_(score|loss|error|deviance)|metrics\.pairwise:\w+_(kernel|distances|similarity))
sklearn\.feature_selection\._\w+:(f_classif|f_regression|chi2|mutual_info_\w+|f_oneway)
sklearn\.(utils\.validation|preprocessing\._\w+):(check_array|_identity)
xgboost\.(core:Booster|sklearn:XGB\w+)
lightgbm\.(basic:Booster|sklearn:LGBM\w+)
catboost\.core:(_CatBoostBase|CatBoost\w*)
tensorflow:(compat\.v1\.)?(bitwise|image|linalg|math|nn|signal|strings|__operators__)\.\w+
tensorflow:(compat\.v1\.)?(abs|add(_n)?|arg(max|min|sort)|boolean_mask|broadcast_to|cast|clip_by_\w+|concat|constant)
tensorflow:(compat\.v1\.)?(convert_to_tensor|cos|cumsum|divide|einsum|ensure_shape|equal|exp|expand_dims|eye|fill|floor)
tensorflow:(compat\.v1\.)?(gather(_nd)?|greater(_equal)?|identity|less(_equal)?|linspace|logical_\w+|matmul|maximum)
tensorflow:(compat\.v1\.)?(meshgrid|minimum|multiply|negative|norm|not_equal|one_hot|ones(_like)?|pad|pow|range|rank)
tensorflow:(compat\.v1\.)?(reduce_\w+|repeat|reshape|reverse|roll|round|scatter_nd|sequence_mask|shape|sigmoid|sign|sin)
tensorflow:(compat\.v1\.)?(size|slice|sort|split|sqrt|square|squeeze|stack|stop_gradient|strided_slice|subtract|tanh)
tensorflow:(compat\.v1\.)?(tensordot|tile|transpose|truediv|unique|unstack|where|zeros(_like)?)
torch:(Size|device|[A-Z]\w+Storage|(b?float|u?int|q?u?int|complex)\d+|bool|dtype|layout|strided|contiguous_format)
torch\._utils:(_rebuild_(tensor(_v[23])?|parameter(_with_state)?|sparse_tensor|qtensor)|_get_async_or_non_blocking)
torch\._tensor:(Tensor|_rebuild_from_type_v2)
torch\.nn\.(parameter:Parameter|modules\.\w+:[A-Z]\w+)
torch\.storage:(TypedStorage|UntypedStorage)
torch\.serialization:_get_layout
torch\.jit\._pickle:(build_\w+list|restore_type_tag)
__torch__(\.\w+)*:\w+
"""
_HARMLESS = re.compile("|".join(f"(?:{line})" for line in _NAMES.split("\n") if line))

_KNOWN = re.compile(
    "catboost|dask|gensim|joblib|keras|lightgbm|matplotlib|mlflow|nltk|numexpr|numpy|onnx|onnxruntime|pandas|polars|pyarrow|ray|scipy|skops"
    "|patsy|pydantic|pyspark|sklearn|spacy|sqlalchemy|statsmodels|tensorflow|tf_keras|torch|torchvision|tqdm|transformers"
    "|xgboost"
)
"""Packages of which a function that is not listed may do anything."""
_RUNNING = re.compile(
    "Cython|IPython|_distutils_hack|_pytest|aiohttp|asynchat|asyncore|attr|attrs|boto3|botocore|cffi|cgi|click|cloudpickle"
    "|commands|crypt|cython|decorator|dill|distributed|distutils|django|docker|execnet|fabric|flask|fsspec|future|gevent|git"
    "|httpx|imp|invoke|jinja2|jsonpickle|jupyter_client|llvmlite|loky|mako|multiprocess|nt|numba|paramiko|past|pathos|pexpect"
    "|pip|pipes|pkg_resources|plumbum|posix|psutil|ptyprocess|py|pytest|requests|ruamel|setuptools|sh|six|smtpd|sympy"
    "|telnetlib|tornado|twisted|urllib3|werkzeug|wrapt|yaml|zmq"
    r"|_(?:test|xx|interp)\w*|_pyrepl|_remote_debugging|annotationlib|compression|test"
)
"""What runs code or fetches it, beside the standard library, which has or had some of these and does not list them."""
_CLASSES_THAT_RUN = re.compile(
    r"(joblib|pyarrow|numpy\.(ctypeslib|distutils|f2py|lib|testing)|pandas\.(_testing|core\.computation|io)|numexpr)\b.*"
    r"|pandas:(ExcelFile|ExcelWriter|HDFStore)"
)
"""Where classes of known packages open files, or run what they are given, as soon as one is made."""


@cache
def verdict_of(name: str) -> Verdict:
    """What importing and calling `module:name` means."""
    module, _, attribute = name.partition(":")
    name = ":".join(_renamed(module, attribute))
    if _HARMLESS.fullmatch(name):
        return "harmless"
    package = name.partition(":")[0].partition(".")[0]
    is_code = (package.endswith("keras") and attribute in LAYERS_OF_CODE) or _CLASSES_THAT_RUN.fullmatch(name)
    if is_code or package in sys.stdlib_module_names or _RUNNING.fullmatch(package) or "." in attribute:
        return "dangerous"
    is_class = attribute.lstrip("_")[:1].isupper()
    return "dangerous" if _KNOWN.fullmatch(package) and not is_class else "unknown"


def _renamed(module: str, name: str) -> tuple[str, str]:
    """What Python 3 calls what Python 2 pickled."""
    from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING  # noqa: PLC0415 - few need it

    if (module, name) in NAME_MAPPING:
        return NAME_MAPPING[module, name]
    return IMPORT_MAPPING.get(module, module), name
