"""The HTTP interface of the inventory service: the declaration of each endpoint."""

from __future__ import annotations

from marshmallow import Schema, fields

from service_common.auth import Caller
from service_common.errors import MalformedError, PreconditionRequiredError, UnavailableError
from service_common.openapi import Answer, AnswerSchema, Api, Operation, ViolationSchema, problem_schema

from . import handlers
from .config import NAME
from .domain import (
    OperationReleasedError,
    OperationReusedError,
    ProductExistsError,
    ProductNotFoundError,
    ShortStockError,
    StaleProductError,
)
from .schemas import (
    CatalogueQuerySchema,
    DecrementSchema,
    DecrementsSchema,
    ForgetSchema,
    ProductPathSchema,
    ProductSchema,
    ProductsQuerySchema,
    ReleaseSchema,
    SingleDecrementSchema,
    StockOperationsQuerySchema,
    StockSchema,
)

__all__ = ["API"]


class _ChangeSchema(Schema):
    if_match = fields.Str(data_key="If-Match", required=True)


class _RemovalSchema(Schema):
    if_match = fields.Str(data_key="If-Match")


class _StockLevelSchema(AnswerSchema):
    product_id = fields.Str(data_key="productId", required=True)
    stock = fields.Int(required=True)


class _ProductSchema(_StockLevelSchema):
    version = fields.Int(required=True, metadata={"description": "Rises with every change of the stock."})
    last_update = fields.AwareDateTime(data_key="lastUpdate", required=True)


class _PageSchema(AnswerSchema):
    items = fields.List(fields.Nested(_ProductSchema), required=True)
    next = fields.Str(
        required=True, allow_none=True, metadata={"description": "The value of `after` for the next page."}
    )


class _PriceSchema(AnswerSchema):
    minor_units = fields.Int(data_key="minorUnits", required=True, metadata={"description": "Such as cents."})
    currency = fields.Str(required=True, metadata={"description": "ISO 4217."})


class _DescriptionSchema(AnswerSchema):
    product_id = fields.Str(data_key="productId", required=True)
    name = fields.Str(required=True)
    description = fields.Str(required=True)
    price = fields.Nested(_PriceSchema, required=True)
    picture = fields.Str(required=True, metadata={"description": "The name of its picture."})


class _CatalogueSchema(AnswerSchema):
    products = fields.List(fields.Nested(_DescriptionSchema), required=True)
    next = fields.Str(
        required=True, allow_none=True, metadata={"description": "The value of `after` for the next page."}
    )


class _ConditionSchema(Schema):
    if_none_match = fields.Str(data_key="If-None-Match")


class _StockLevelsSchema(AnswerSchema):
    items = fields.List(fields.Nested(_StockLevelSchema), required=True)


class _ReturnedItemSchema(AnswerSchema):
    product_id = fields.Str(data_key="productId", required=True)
    quantity = fields.Int(required=True)


class _ReturnedSchema(AnswerSchema):
    items = fields.List(fields.Nested(_ReturnedItemSchema), required=True)


class _ForgottenSchema(AnswerSchema):
    forgotten = fields.Int(required=True, metadata={"description": "How many of them were known."})


class _StockOperationSchema(AnswerSchema):
    operation_id = fields.Str(data_key="operationId", required=True)
    outcome = fields.Str(required=True, allow_none=True, metadata={"description": "taken, short or unknown"})
    items = fields.List(fields.Nested(_ReturnedItemSchema), required=True, allow_none=True)
    created_at = fields.AwareDateTime(data_key="createdAt", required=True)
    released_at = fields.AwareDateTime(data_key="releasedAt", required=True, allow_none=True)


class _StockOperationsSchema(AnswerSchema):
    operations = fields.List(fields.Nested(_StockOperationSchema), required=True)


class _ViolationSchema(ViolationSchema):
    product_id = fields.Str(data_key="productId")
    requested = fields.Int()
    stock = fields.Int()


class _TakeOutcomeSchema(AnswerSchema):
    items = fields.List(fields.Nested(_StockLevelSchema), metadata={"description": "The remaining stock."})
    problem = fields.Nested(problem_schema(_ViolationSchema), metadata={"description": "Why it took nothing."})


class _OutcomesSchema(AnswerSchema):
    outcomes = fields.List(fields.Nested(_TakeOutcomeSchema), required=True)


_READERS = Caller.CUSTOMER | Caller.OPERATOR | Caller.VIEWER | Caller.SERVICE
_KNOWN = Answer("It is still what the entity tag stands for", headers=("ETag",), media_type=None)
_OF_PRODUCT = {"path": ProductPathSchema}
_TAKE_ERRORS = (ProductNotFoundError, ShortStockError, OperationReleasedError, OperationReusedError, UnavailableError)

API = Api(
    name=NAME,
    description="Owns the stock of products.",
    violation=_ViolationSchema,
    names={
        ProductSchema: "NewProduct",
        StockSchema: "NewStock",
        _PageSchema: "ProductPage",
    },
    own_operations=(
        Operation(
            "GET",
            "/inventory",
            handlers.get_products,
            name="getProducts",
            access=_READERS,
            parameters={"query": ProductsQuerySchema, "header": _ConditionSchema},
            answers={200: Answer("The products", _PageSchema, ("ETag",)), 304: _KNOWN},
            errors=(UnavailableError,),
        ),
        Operation(
            "GET",
            "/products",
            handlers.catalogue,
            name="getCatalogue",
            access=_READERS,
            parameters={"query": CatalogueQuerySchema, "header": _ConditionSchema},
            answers={200: Answer("What the shop shows", _CatalogueSchema, ("ETag",)), 304: _KNOWN},
            errors=(UnavailableError,),
        ),
        Operation(
            "GET",
            "/inventory/{product_id}",
            handlers.get_product,
            name="getProduct",
            access=_READERS,
            parameters=_OF_PRODUCT,
            answers={200: Answer("The product", _ProductSchema, ("ETag",))},
            errors=(ProductNotFoundError, UnavailableError),
        ),
        Operation(
            "POST",
            "/inventory",
            handlers.add_product,
            name="addProduct",
            access=Caller.OPERATOR,
            body=ProductSchema,
            answers={201: Answer("The product", _ProductSchema, ("ETag", "Location"))},
            errors=(ProductExistsError, UnavailableError),
        ),
        Operation(
            "PUT",
            "/inventory/{product_id}",
            handlers.change_stock,
            name="changeStock",
            access=Caller.OPERATOR,
            parameters={"path": ProductPathSchema, "header": _ChangeSchema},
            body=StockSchema,
            answers={200: Answer("The product in its next version", _ProductSchema, ("ETag",))},
            errors=(ProductNotFoundError, StaleProductError, PreconditionRequiredError, UnavailableError),
        ),
        Operation(
            "DELETE",
            "/inventory/{product_id}",
            handlers.remove_product,
            name="removeProduct",
            access=Caller.OPERATOR,
            parameters={"path": ProductPathSchema, "header": _RemovalSchema},
            answers={204: Answer("The product is removed", media_type=None)},
            errors=(MalformedError, ProductNotFoundError, StaleProductError, UnavailableError),
        ),
        Operation(
            "GET",
            "/stock-operations",
            handlers.operations,
            name="getStockOperations",
            access=Caller.OPERATOR | Caller.VIEWER | Caller.SERVICE,
            parameters={"query": StockOperationsQuerySchema},
            answers={200: Answer("The operations", _StockOperationsSchema)},
            errors=(UnavailableError,),
        ),
        Operation(
            "POST",
            "/inventory/decrement",
            handlers.decrement,
            name="takeStock",
            access=Caller.SERVICE,
            body=DecrementSchema,
            answers={200: Answer("The remaining stock", _StockLevelsSchema)},
            errors=_TAKE_ERRORS,
        ),
        Operation(
            "POST",
            "/inventory/decrements",
            handlers.decrement_each,
            name="takeStockOfEach",
            access=Caller.SERVICE,
            body=DecrementsSchema,
            answers={200: Answer("What each operation came to, in their order", _OutcomesSchema)},
        ),
        Operation(
            "POST",
            "/inventory/decrement/{product_id}",
            handlers.decrement_product,
            name="takeStockOfProduct",
            access=Caller.SERVICE,
            parameters=_OF_PRODUCT,
            body=SingleDecrementSchema,
            answers={200: Answer("The remaining stock", _StockLevelsSchema)},
            errors=_TAKE_ERRORS,
        ),
        Operation(
            "POST",
            "/inventory/release",
            handlers.release,
            name="releaseStock",
            access=Caller.SERVICE,
            body=ReleaseSchema,
            answers={200: Answer("The items returned to the stock", _ReturnedSchema)},
            errors=(UnavailableError,),
        ),
        Operation(
            "POST",
            "/inventory/forget",
            handlers.forget,
            name="forgetStockOperations",
            access=Caller.SERVICE,
            body=ForgetSchema,
            answers={200: Answer("The operations are forgotten", _ForgottenSchema)},
            errors=(UnavailableError,),
        ),
    ),
)
